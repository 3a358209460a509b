//! One connection, as a shard sees it.

use spanwire_hub::SessionId;
use spanwire_hub::outbox::Outbox;
use spanwire_wire::Encoding;
use spanwire_ws::{CloseFrame, Connection, Opcode, Role, frame};

use crate::net::{LinkId, Pipe};

/// A connection and what must be remembered about it between two turns.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) link: LinkId,
    pub(super) session: SessionId,
    pub(super) encoding: Encoding,
    pub(super) ws: Connection,
    /// What the pipe has not taken yet of what has left the outbox.
    pub(super) lead: Vec<u8>,
    /// The hub has more to do than this client may add to.
    pub(super) paused: bool,
    /// We have said our last word, and wait for the other side's until then.
    pub(super) patience: Option<u64>,
}

impl Peer {
    pub(super) fn new(link: LinkId, session: SessionId, encoding: Encoding) -> Self {
        let ws = Connection::new(Role::Server);
        Self { link, session, encoding, ws, lead: Vec::new(), paused: false, patience: None }
    }

    /// Writes what the pipe takes. Whether everything is written.
    pub(super) fn write(&mut self, now: u64, pipe: &mut Pipe, mut outbox: Option<&mut Outbox>) -> bool {
        loop {
            let taken = pipe.write(now, &self.lead);
            self.lead.drain(..taken);
            if !self.lead.is_empty() {
                return false;
            }
            let Some(outbox) = outbox.as_deref_mut().filter(|_| self.patience.is_none()) else { return true };
            if !self.take_message(outbox) {
                return true;
            }
        }
    }

    /// The last word: everything else is written first, unless it is what the client could not keep up with.
    pub(super) fn say_farewell(
        &mut self,
        frame: &CloseFrame<'_>,
        until: u64,
        outbox: Option<&mut Outbox>,
        slow: bool,
    ) {
        let Some(frame) = self.ws.close(*frame) else { return };
        if let Some(outbox) = outbox {
            while !slow && self.take_message(outbox) {}
            outbox.clear();
        }
        frame.encode_into(&mut self.lead, None);
        self.patience = Some(until);
    }

    fn take_message(&mut self, outbox: &mut Outbox) -> bool {
        let Some(message) = outbox.iter().next().cloned() else { return false };
        outbox.consume(1);
        let opcode = match self.encoding {
            Encoding::Json => Opcode::Text,
            Encoding::Protobuf => Opcode::Binary,
        };
        frame::server_frame_into(&mut self.lead, opcode, &message);
        true
    }
}

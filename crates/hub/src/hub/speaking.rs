//! What is said to one client: replies and pushes, and what becomes of a client that does not listen.

use bytes::Bytes;
use spanwire_wire::{DisconnectCode, ErrorCode, Outcome, Push, PushEvent, Reply, encode_push, encode_reply};

use super::Hub;
use crate::channel::Channel;
use crate::session::Session;
use crate::{Refusal, SessionId};

impl Hub {
    pub(super) fn reply(&mut self, id: SessionId, command: u32, outcome: Outcome) {
        let encoding = self.sessions.lane(id.index).encoding;
        self.send(id, encode_reply(encoding, &Reply { id: command, outcome }));
    }

    pub(super) fn refuse(&mut self, id: SessionId, command: u32, code: ErrorCode) {
        self.reply(id, command, Outcome::Error(code.into()));
    }

    /// Lets somebody know that it is not let in, by an error reply or by the end of the connection.
    pub(super) fn deny(&mut self, id: SessionId, command: u32, refusal: Refusal) {
        let extended = self.sessions.get(id).and_then(Session::client).is_some_and(|client| client.extended);
        match refusal.into_error(extended) {
            Ok(error) => self.reply(id, command, Outcome::Error(error)),
            Err(reason) => self.close(id, reason),
        }
    }

    pub(super) fn push(&mut self, id: SessionId, channel: &Channel, event: PushEvent) {
        let encoding = self.sessions.lane(id.index).encoding;
        self.send(id, encode_push(encoding, &Push::new(channel.as_str(), event)));
    }

    /// How many bytes the next message to a client may have.
    pub(super) fn room(&self, id: SessionId) -> usize {
        self.sessions.room(id.index, self.config.limits.outbox_bytes_max)
    }

    /// Puts a message into a client's outbox; if it cannot take more, the client is let go.
    pub(super) fn send(&mut self, id: SessionId, message: Bytes) {
        if self.sessions.send(id.index, message, self.config.limits.outbox_bytes_max).is_err() {
            self.close(id, DisconnectCode::Slow.into());
        }
    }
}

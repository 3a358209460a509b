//! One WebSocket: its socket, where its bytes are cut, and how far its end has come.

use spanwire_hub::SessionId;
use spanwire_hub::time::Instant;
use spanwire_wire::Encoding;
use spanwire_ws::frame::{self, CONTROL_BYTES_MAX};
use spanwire_ws::{self as ws, CloseFrame, Opcode, Role};

use super::arrival::Agreed;
use super::compressor::Context;
use super::heartbeat::Heartbeat;
use super::{Link, Permit, Visitor};

/// What a shard knows of one connection. A million of them idle is the normal case, so whatever most connections
/// never need is in [`Aside`], and there is none of that at rest.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: Link,
    pub(super) ws: ws::Connection,
    pub(super) purpose: Purpose,
    /// What the messages of the outbox are framed as.
    pub(super) opcode: Opcode,
    pub(super) reading: Reading,
    pub(super) writing: Writing,
    /// How much of the outbox's first message, framed, the socket has taken. An outbox holds less than 4 GiB.
    front_written: u32,
    pub(super) aside: Option<Box<Aside>>,
    /// Gives the permit back when the connection is dropped.
    _permit: Permit,
}

/// What a connection is for.
#[derive(Debug)]
pub(super) enum Purpose {
    Session { id: SessionId, visitor: Box<Visitor> },
    Echo,
}

/// What is known of the bytes in the socket that we have not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// There were none; the poller tells when there are.
    Waiting,
    /// There may be some, and the connection is in the list of those to read from. `to_the_end`: the peer has sent
    /// its last, so that even a read that empties the socket must be followed by the one that finds the end.
    Queued { to_the_end: bool },
    /// They stay where they are for now, because what was read already is not done with.
    Paused { unread: bool, to_the_end: bool },
}

/// Whether the socket takes what we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// It took everything so far.
    Open,
    /// It would take more, and the connection is in the list of those to write to.
    Queued,
    /// It is full; the poller tells when it is not.
    Blocked,
}

/// What few connections need, and those rarely.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Bytes that go out before any message of the outbox: control frames, and everything an echo says.
    pub(super) lead: Vec<u8>,
    /// How many of them the socket has taken.
    pub(super) lead_written: usize,
    /// The answer to the peer's latest ping; earlier ones need none (RFC 6455 section 5.5.3).
    pub(super) pong: Option<Vec<u8>>,
    /// We want to ping.
    pub(super) ping_due: bool,
    pub(super) ending: Ending,
    /// When a socket that took nothing since then is given up.
    pub(super) blocked_until: Option<Instant>,
    /// What compresses its messages, if they may refer to each other.
    pub(super) context: Option<Box<Context>>,
    /// Native pings, for clients that chose them.
    pub(super) heartbeat: Option<Heartbeat>,
    /// The earliest entry of this connection in the shard's list of deadlines.
    pub(super) armed: Option<Instant>,
}

/// How far the close handshake has come, from our side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody ends anything.
    #[default]
    No,
    /// Our close frame waits behind what is unsent.
    Unsent { frame: Vec<u8>, until: Instant },
    /// Our close frame is on its way, and nothing will come behind it.
    Sent { until: Instant },
}

impl Connection {
    pub(super) fn new(link: Link, opcode: Opcode, purpose: Purpose, agreed: Agreed, permit: Permit) -> Self {
        let context = agreed.context.map(|permit| Box::new(Context::new(permit)));
        let aside = context.map(|context| Box::new(Aside { context: Some(context), ..Aside::default() }));
        Self {
            link,
            ws: ws::Connection::with_extensions(Role::Server, agreed.extensions),
            purpose,
            opcode,
            reading: Reading::Waiting,
            writing: Writing::Open,
            front_written: 0,
            aside,
            _permit: permit,
        }
    }

    /// The session that speaks here.
    #[inline]
    pub(super) fn session(&self) -> Option<SessionId> {
        match self.purpose {
            Purpose::Session { id, .. } => Some(id),
            Purpose::Echo => None,
        }
    }

    /// How many bytes of the outbox's first message, framed, the link has taken.
    #[inline]
    pub(super) fn front_written(&self) -> usize {
        self.front_written as usize
    }

    #[inline]
    pub(super) fn set_front_written(&mut self, bytes: usize) {
        debug_assert!(u32::try_from(bytes).is_ok(), "{bytes} bytes of one message");
        self.front_written = bytes as u32;
    }

    #[inline]
    pub(super) fn aside(&self) -> Option<&Aside> {
        self.aside.as_deref()
    }

    /// The rarely needed, made if it is not there.
    pub(super) fn aside_mut(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    pub(super) fn existing_aside_mut(&mut self) -> Option<&mut Aside> {
        self.aside.as_deref_mut()
    }

    /// Gives back what is not needed any more. The first line of every path that may have used it up.
    #[inline]
    pub(super) fn tidy(&mut self) {
        self.aside.take_if(|aside| aside.is_at_rest());
    }

    pub(super) fn is_ending(&self) -> bool {
        self.aside().is_some_and(|aside| aside.ending != Ending::No)
    }

    /// Whether our close frame has left.
    pub(super) fn is_farewell_written(&self) -> bool {
        self.aside().is_some_and(Aside::is_farewell_taken) && !self.link.has_unsent()
    }

    /// Begins the end: `frame` goes out behind what is unsent, and `until` all must be over. The first call decides.
    pub(super) fn end(&mut self, frame: &CloseFrame<'_>, until: Instant) {
        self.end_behind(None, frame, until);
    }

    /// The same with a message before the frame.
    pub(super) fn end_behind(&mut self, message: Option<&[u8]>, frame: &CloseFrame<'_>, until: Instant) {
        if self.is_ending() {
            return;
        }
        let mut bytes = Vec::new();
        if let Some(message) = message {
            frame::server_frame_into(&mut bytes, Opcode::Text, message);
        }
        frame.encode_into(&mut bytes, None);
        self.aside_mut().ending = Ending::Unsent { frame: bytes, until };
    }
}

impl Aside {
    /// What leads and is not written yet.
    pub(super) fn unsent_lead(&self) -> &[u8] {
        &self.lead[self.lead_written..]
    }

    /// The socket has taken `count` bytes more of the lead.
    pub(super) fn lead_taken(&mut self, count: usize) {
        self.lead_written += count;
        if self.lead_written >= self.lead.len() {
            (self.lead, self.lead_written) = (Vec::new(), 0);
        } else if self.lead_written > self.lead.len() / 2 {
            // A lead that is never quite empty would grow for ever behind what was written.
            self.lead.drain(..self.lead_written);
            self.lead_written = 0;
        }
    }

    /// Whether frames wait for the end of the message that is being written.
    pub(super) fn has_control(&self) -> bool {
        self.pong.is_some() || self.ping_due
    }

    /// Whether there is anything to write besides messages.
    pub(super) fn has_something_to_say(&self) -> bool {
        !self.lead.is_empty() || self.has_control() || matches!(self.ending, Ending::Unsent { .. })
    }

    /// Turns what may be said between two messages into bytes: pings and pongs always, and the close frame when no
    /// message is left before it.
    pub(super) fn speak(&mut self, messages_left: bool) {
        if matches!(self.ending, Ending::Sent { .. }) {
            (self.pong, self.ping_due) = (None, false);
            return;
        }
        if let Some(payload) = self.pong.take() {
            frame::server_frame_into(&mut self.lead, Opcode::Pong, &payload);
        }
        if std::mem::take(&mut self.ping_due) {
            frame::server_frame_into(&mut self.lead, Opcode::Ping, &[]);
        }
        if !messages_left && let Ending::Unsent { frame, until } = &self.ending {
            self.lead.extend_from_slice(frame);
            self.ending = Ending::Sent { until: *until };
        }
    }

    /// Whether the link has taken our close frame.
    fn is_farewell_taken(&self) -> bool {
        matches!(self.ending, Ending::Sent { .. }) && self.lead.is_empty()
    }

    /// The next moment at which something must be done about this connection, whatever happens or does not.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let end = match self.ending {
            Ending::No => None,
            Ending::Unsent { until, .. } | Ending::Sent { until } => Some(until),
        };
        let heartbeat = self.heartbeat.map(|heartbeat| heartbeat.due());
        [end, self.blocked_until, heartbeat].into_iter().flatten().min()
    }

    /// Whether the patience with the end is over.
    pub(super) fn end_is_due(&self, now: Instant) -> bool {
        match self.ending {
            Ending::No => false,
            Ending::Unsent { until, .. } | Ending::Sent { until } => until <= now,
        }
    }

    fn is_at_rest(&self) -> bool {
        self.lead.is_empty()
            && !self.has_control()
            && self.ending == Ending::No
            && self.context.is_none()
            && self.armed.is_none()
            && self.deadline().is_none()
    }
}

/// The kind of WebSocket message that carries this encoding.
pub(crate) fn opcode_of(encoding: Encoding) -> Opcode {
    match encoding {
        Encoding::Json => Opcode::Text,
        Encoding::Protobuf => Opcode::Binary,
    }
}

/// A pong carries what the ping did, and that fits a control frame or the decoder would have refused it.
pub(super) fn pong_payload(ping: &[u8]) -> Vec<u8> {
    ping[..ping.len().min(CONTROL_BYTES_MAX)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_costs_a_few_words_beside_its_websocket_state() {
        let own = size_of::<Connection>() - size_of::<ws::Connection>();
        assert!(own <= 56, "{own} bytes");
    }

    #[test]
    fn a_lead_that_is_never_empty_does_not_grow_behind_what_was_written() {
        let mut aside = Aside::default();
        for _ in 0..1000 {
            aside.lead.extend_from_slice(&[7; 100]);
            let unsent = aside.unsent_lead().len();
            aside.lead_taken(unsent - 10);
            assert_eq!(aside.unsent_lead(), [7; 10]);
        }
        assert!(aside.lead.len() <= 220, "{}", aside.lead.len());
    }

    #[test]
    fn the_close_frame_is_the_last_word() {
        let until = Instant::from_millis(5000);
        let mut aside =
            Aside { ending: Ending::Unsent { frame: b"close".to_vec(), until }, ..Aside::default() };
        aside.pong = Some(b"a".to_vec());
        aside.speak(true);
        assert_eq!(aside.lead, b"\x8a\x01a", "messages are left, so only the pong is said");
        aside.speak(false);
        aside.pong = Some(b"b".to_vec());
        aside.speak(false);
        assert_eq!(aside.lead, b"\x8a\x01aclose");
        assert_eq!(aside.deadline(), Some(until));
    }
}

//! What an application is told.

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use crate::time::Instant;
use crate::{Answer, CallError, Key, Members, Position};

/// What an application is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The server has let the client in.
    Connected {
        /// The id of this session; others see it in presence, joins and leaves.
        client: String,
        /// Data from whoever authenticated the connection.
        data: Bytes,
        /// Whether the server knows publishes by their keys, so that they are repeated until acknowledged.
        idempotent: bool,
    },
    /// The connection is over, could not be made, or was refused.
    Disconnected {
        /// Why: a code of the server (3000 and up), of the transport (1000 to 2999), or one of the client's own:
        /// [`Event::CODE_WISH`] and its neighbours.
        code: u32,
        /// Why, for people.
        reason: String,
        /// When it is tried again; `None` if it is not.
        will_retry_at: Option<Instant>,
    },
    /// A channel is heard. What was owed for the time before has been delivered; what follows is live.
    Subscribed {
        /// Which.
        channel: String,
        /// The client came back and nothing is missing.
        recovered: bool,
        /// The client came back and asked for what it had missed. If that was not recovered, a gap was told before.
        was_recovering: bool,
        /// Up to where everything was delivered or told as missing; `None` in a channel without positions.
        position: Option<Position>,
        /// Data from whoever authorized the subscription.
        data: Bytes,
    },
    /// A channel is not heard any more.
    Unsubscribed {
        /// Which.
        channel: String,
        /// Why: an unsubscribe code of the server, the code of the error by which it refused, or 0 if the application
        /// wished it.
        code: u32,
        /// Why, for people.
        reason: String,
        /// When it is tried again, from where it was; `None` if the subscription has ended.
        will_retry_at: Option<Instant>,
    },
    /// Something was published.
    Publication {
        /// Where.
        channel: String,
        /// What, with its offset if the channel has any.
        publication: Box<Publication>,
        /// It was published while the client was not there.
        recovered: bool,
    },
    /// Publications behind `from` and up to `to` may be missing, and will not come.
    Gap {
        /// Where.
        channel: String,
        /// Everything up to here was delivered.
        from: Position,
        /// What comes next is behind this.
        to: Position,
    },
    /// A client came to a channel.
    Join {
        /// Where.
        channel: String,
        /// Who.
        info: ClientInfo,
    },
    /// A client left a channel.
    Leave {
        /// Where.
        channel: String,
        /// Who.
        info: ClientInfo,
    },
    /// Who is in a channel now, by the id of their session, where
    /// [`SubscribeOptions::presence`](crate::SubscribeOptions::presence) was wished for: once the channel is heard, and
    /// behind each join and leave.
    Presence {
        /// Where.
        channel: String,
        /// Everybody, this client included.
        members: Members,
    },
    /// Who is in a channel is not known, and will not be on this connection. The channel is heard all the same.
    NoPresence {
        /// Where.
        channel: String,
        /// The code by which the server refused, or 106 when they are more than
        /// [`Limits::members_max`](crate::Limits::members_max).
        code: u32,
        /// Why, for people.
        reason: String,
    },
    /// The server has published it.
    PublishAcked {
        /// Which.
        key: Key,
        /// Its position, if the channel has any and the server tells.
        position: Option<Position>,
    },
    /// It was not published, or that is not known.
    PublishFailed {
        /// Which.
        key: Key,
        /// Why.
        error: CallError,
    },
    /// A call was answered.
    Answered {
        /// Which.
        key: Key,
        /// The answer.
        answer: Answer,
    },
    /// A call was not answered.
    Failed {
        /// Which.
        key: Key,
        /// Why.
        error: CallError,
    },
    /// The server has a message for this client alone.
    Message(Bytes),
}

impl Event {
    /// The application wished it.
    pub const CODE_WISH: u32 = 0;
    /// The connection ended without a close code, or could not be opened.
    pub const CODE_LOST: u32 = 1006;
    /// Nobody answers where the server should be, or it has no time now: 1013, "try again later". A shell that can tell this
    /// from a way that is blocked says so, for then another transport is of no use.
    pub const CODE_UNREACHABLE: u32 = 1013;
    /// The server said nothing for too long, or did not answer in time.
    pub const CODE_SILENT: u32 = 11;
    /// The server sent something that cannot be understood.
    pub const CODE_BAD_PROTOCOL: u32 = 12;
    /// The server refused the connect command with an error.
    pub const CODE_REFUSED: u32 = 13;
    /// There is no token.
    pub const CODE_NO_TOKEN: u32 = 14;
}

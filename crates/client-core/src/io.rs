//! What happens to a client, and what it asks of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use crate::{Event, Position, SubscribeOptions, Transport};

/// The application's name for one call, so that it knows the answer when it comes. The client never looks at it;
/// a key that is used again while it waits only confuses whoever uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// Names one connection of a client: each [`Output::Open`] has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Everything that can happen to a client.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The application wants to be connected, from now on and whatever happens.
    Connect,
    /// The application does not want to be connected any more. Subscriptions stay, and come back with a later
    /// [`Input::Connect`]; calls that wait fail.
    Disconnect,
    /// The machine has slept, or the network is another one. A connection that is waited for is tried at once, unless the
    /// server has told when; one that is there must answer within
    /// [`Limits::probe_within`](crate::Limits::probe_within).
    Wake,
    /// The application wants to hear a channel. A channel that is subscribed to already stays as it is.
    Subscribe {
        /// Its name.
        channel: String,
        /// What is wanted of it.
        options: SubscribeOptions,
    },
    /// The application does not want to hear a channel any more. Answered by [`Event::Unsubscribed`] at once.
    Unsubscribe {
        /// Its name.
        channel: String,
    },
    /// The application asks the server something. Answered by one [`Event::Answered`] or [`Event::Failed`], or
    /// for [`Call::Publish`] by [`Event::PublishAcked`] or [`Event::PublishFailed`].
    Call(Key, Call),
    /// The answer to [`Output::AskToken`].
    Token(TokenFor, Result<String, TokenFailure>),
    /// The connection is open, and takes frames.
    Opened(ConnectionId),
    /// The server sent a frame.
    Frame(ConnectionId, &'a [u8]),
    /// The connection is over, or could not be opened.
    Lost {
        /// Which.
        connection: ConnectionId,
        /// The close code, or [`Event::CODE_LOST`] if none came.
        code: u32,
        /// What the server said to it.
        reason: String,
    },
    /// The connection was refused for now, and for how long: HTTP 429 or 503 with `Retry-After` (RFC 9110 section 10.2.3).
    /// The client comes back after that and, as the header says the same to everybody, a wait of its own by chance; or by
    /// another transport, if this goes on and may be a box on the way.
    Busy {
        /// Which.
        connection: ConnectionId,
        /// The status.
        code: u32,
        /// What the server said to it.
        reason: String,
        /// For how long.
        retry_after: Duration,
    },
    /// [`Client::next_deadline`](crate::Client::next_deadline) has passed.
    Tick,
}

/// What an application can ask the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Publish to a channel. Where the server knows keys (the extension `idempotent_publish`), the client repeats it
    /// until it is acknowledged, and it is published once. Publishes leave in their order, but one that must be
    /// repeated may come behind later ones.
    Publish {
        /// The channel; being subscribed to it is not needed.
        channel: String,
        /// The payload: JSON if the client speaks JSON.
        data: Bytes,
        /// Whether it may wait for a connection, and go out once more on the next one. What may not is published now or
        /// never: [`CallError::Offline`](crate::CallError::Offline) without a connection, and
        /// [`CallError::Unacknowledged`](crate::CallError::Unacknowledged) when its answer is lost with one.
        queue: bool,
    },
    /// Who is in a channel?
    Presence {
        /// The channel.
        channel: String,
    },
    /// How many are in a channel?
    PresenceStats {
        /// The channel.
        channel: String,
    },
    /// What was published in a channel?
    History {
        /// The channel.
        channel: String,
        /// Most publications wanted; 0 asks for the position only, `None` for as many as the server gives.
        limit: Option<u32>,
        /// Only those behind this position (before it when `reverse`), itself excluded.
        since: Option<Position>,
        /// Newest first.
        reverse: bool,
    },
    /// Call a method of the application behind the server. It is never repeated.
    Rpc {
        /// Its name.
        method: String,
        /// The arguments; may be empty.
        data: Bytes,
    },
}

/// What the server answers to a [`Call`] other than publish.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Everybody in the channel, by client id.
    Presence(BTreeMap<String, ClientInfo>),
    /// How many are in the channel.
    PresenceStats {
        /// Connections.
        clients: u32,
        /// Distinct users among them.
        users: u32,
    },
    /// A part of the channel's history, and where its stream stands.
    History {
        /// In the order asked for.
        publications: Vec<Publication>,
        /// The top of the stream.
        top: Position,
    },
    /// What the method returned.
    Rpc(Bytes),
}

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFor {
    /// To connect, or to stay connected.
    Connection,
    /// To subscribe to this channel.
    Channel(String),
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFailure {
    /// Asking again later may help.
    Temporary,
    /// There is none for this user, and there will be none.
    Unauthorized,
}

/// What a client asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a connection over this transport; answer by [`Input::Opened`] or [`Input::Lost`].
    Open(ConnectionId, Transport),
    /// Send this as one message. Frames for a connection that is over can be dropped.
    Send(ConnectionId, Bytes),
    /// Close the connection. The client has forgotten it already, and wants no answer.
    Close(ConnectionId),
    /// Get a token; answer by [`Input::Token`].
    AskToken(TokenFor),
    /// Tell the application.
    Event(Event),
}

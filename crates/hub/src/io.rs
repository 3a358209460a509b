//! What happens to a hub, and what it asks of the world.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Error};
use spanwire_wire::{DisconnectCode, DisconnectReason, Encoding, ErrorCode, UnsubscribeCode};

use crate::backend::{Approval, Petition, Renewal};
use crate::broker::{BrokerAnswer, BrokerRequest};
use crate::capabilities::Capabilities;
use crate::channel::{Channel, Position};
use crate::denial::Denial;
use crate::expirable::{Expirable, Refreshed};
use crate::happening::Happening;
use crate::namespace::Namespaces;
use crate::presence::{PresenceAnswer, PresenceRequest};
use crate::revocation::{Revocation, TokenMark};
use crate::right::Rights;
use crate::session::SubscriptionOptions;
use crate::time::Instant;

/// Names a session for as long as it lives; another session in the same place has another generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// The place in the hub's tables: small, dense, used again. A driver may index its own tables by it.
    pub index: u32,
    /// Which session in that place.
    pub generation: u32,
}

/// Names a question, so that its answer finds whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskId(pub u64);

/// What a transport knows of a client before its first command.
#[derive(Clone, Debug)]
pub struct Opening {
    /// How commands and replies are encoded.
    pub encoding: Encoding,
    /// The transport pings the client by itself, so that application pings are off
    /// (`cf_ws_frame_ping_pong`).
    pub transport_pings: bool,
    /// How the client's commands come.
    pub upstream: Upstream,
}

impl Opening {
    /// A client whose commands come over its connection, and who is pinged by the hub.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, transport_pings: false, upstream: Upstream::Connection }
    }
}

/// How commands come from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upstream {
    /// Over the connection on which it hears.
    #[default]
    Connection,
    /// By requests of their own, which name the session by what the connect result told the client.
    Requests(Box<Reach>),
    /// Not at all: the client says who it is and which channels it wants, and from then on only hears, and that as
    /// bare pushes. What it says is here, or it is the first frame; JSON only.
    Nothing(Option<Bytes>),
}

/// Where requests find a session that hears on another connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Reach {
    /// The secret by which requests show that they are the client's (`ConnectResult.session`).
    pub session: String,
    /// The node that has the session (`ConnectResult.node`).
    pub node: String,
}

/// Whoever reads a log could speak for the client if the secret were in it.
impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("node", &self.node).finish_non_exhaustive()
    }
}

/// Everything that can happen to a hub besides the opening of a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A client sent a frame: one or more commands.
    Frame(SessionId, &'a [u8]),
    /// A connection is gone, and the transport has forgotten it. Also expected after [`Output::Close`], once closed.
    Gone(SessionId),
    /// The transport closes the connection for a reason of its own (a write error, a broken frame).
    Close(SessionId, DisconnectReason),
    /// The answer to a question.
    Answer(AskId, Answer),
    /// A publication of a channel that this hub listens to.
    Publication(Channel, std::sync::Arc<crate::delivery::Delivery>),
    /// A client came to such a channel.
    Join(Channel, std::sync::Arc<ClientInfo>),
    /// A client left such a channel.
    Leave(Channel, std::sync::Arc<ClientInfo>),
    /// The backend orders something.
    Order(Order),
    /// What clients may do where is another from now on.
    Namespaces(Namespaces),
    /// [`Hub::next_deadline`](crate::Hub::next_deadline) has passed.
    Tick,
    /// The node shuts down: every session is closed with code 3001, and no new one connects.
    Drain,
}

/// What a backend may order about the sessions of a user, by the server API.
#[derive(Clone, Debug)]
pub enum Order {
    /// Close the connections of these clients.
    Disconnect {
        /// Whose.
        whom: Whom,
        /// Client ids that stay.
        spared: Vec<String>,
        /// The code and reason they are told.
        disconnect: DisconnectReason,
    },
    /// End their subscriptions to a channel, or to all if `None`.
    Unsubscribe {
        /// Whose.
        whom: Whom,
        /// Which.
        channel: Option<Channel>,
        /// The code they are told.
        code: UnsubscribeCode,
    },
    /// Subscribe their connections to a channel, and tell them by a `subscribe` push. Those that are subscribed already
    /// stay as they are; one that has as many subscriptions as it may is closed.
    Subscribe {
        /// Whose.
        whom: Whom,
        /// To what.
        channel: Channel,
        /// What comes with the subscription.
        grant: Grant,
        /// The position behind which publications follow the push, if the stream still has all of them.
        since: Option<Position>,
    },
    /// End what these tokens have opened: connections with code 3500, subscriptions with code 2000.
    Revoke(Revocation),
    /// Close, with code 3504, the connections of a user that are older than this one of it.
    Alone {
        /// Whose.
        user: String,
        /// The id of the client that stays.
        client: String,
        /// When it connected.
        since: Instant,
    },
    /// Change when their connections expire.
    Refresh {
        /// Whose.
        whom: Whom,
        /// What becomes of them.
        expiry: Expiry,
        /// What others are told of them from now on; `None` leaves that as it is.
        info: Option<Bytes>,
    },
}

/// When a connection ends unless it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It has: it is closed with code 3005.
    Now,
    /// At this time, in Unix seconds.
    At(u64),
    /// Never.
    Never,
}

/// Which sessions an [`Order`] means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// Those of this user; the empty user selects the anonymous ones, unless `client` or `session` narrows it.
    pub user: String,
    /// Only the one with this client id.
    pub client: Option<String>,
    /// Only the one with this session id, which clients have whose commands come by requests of their own
    /// ([`Reach::session`]).
    pub session: Option<String>,
}

/// What a hub asks of the world.
#[derive(Clone, Debug)]
pub enum Output {
    /// Answer this by [`Input::Answer`], in this turn or a later one.
    Ask(AskId, Question),
    /// Do this; nobody waits for an answer.
    Tell(Channel, Deed),
    /// Write what the outbox holds (unless the code says not to), then close the connection with this code.
    /// The session takes no more input; answer by [`Input::Gone`] when the connection is closed.
    Close(SessionId, DisconnectReason),
    /// This has happened; asked for by [`Hub::reporting`](crate::Hub::reporting).
    Happened(Box<Happening>),
    /// The session can take frames again, after [`Hub::is_busy`](crate::Hub::is_busy) said that it could not.
    Resume(SessionId),
    /// Tell the operator why a client may not do something; the client has been told the code.
    Denied(Box<Denial>),
    /// Count a command that was refused because its client, or all clients in a channel, are too fast.
    Limited(RateLimit),
    /// Count what was ended because it had expired.
    Expired(Expirable),
    /// Count what came of a token that a client has shown to prolong this.
    Refreshed(Expirable, Refreshed),
    /// Carry this order to every hub of the node, this one included.
    Order(Order),
}

/// A rate that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateLimit {
    /// Of commands of one client.
    Commands,
    /// Of their bytes.
    Bytes,
    /// Of subscribe commands of one client.
    Subscribes,
    /// Of publications of all clients in one channel.
    Publishes,
}

impl RateLimit {
    /// The name of its option.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commands => "command_rate_limit",
            Self::Bytes => "byte_rate_limit",
            Self::Subscribes => "subscribe_rate_limit",
            Self::Publishes => "publish_rate_limit",
        }
    }
}

/// What a hub does not know or may not decide.
#[derive(Clone, Debug)]
pub enum Question {
    /// Who is this? The answer is [`Answer::Credentials`].
    Authenticate(Authenticate),
    /// Is this token good for prolonging the connection? The answer is [`Answer::Credentials`].
    Refresh {
        /// The session, for asking its transport about addresses.
        session: SessionId,
        /// The token of the `refresh` command.
        token: String,
    },
    /// Is this token good for this channel? The answer is [`Answer::Grant`].
    VerifySubscription {
        /// The session, for asking its transport about addresses.
        session: SessionId,
        /// The token of the `subscribe` or `sub_refresh` command.
        token: String,
        /// The channel subscribed to.
        channel: Channel,
        /// The user of the connection.
        user: String,
    },
    /// One for the backend. What the answer is depends on the [matter](crate::backend::Matter).
    Decide(Box<Petition>),
    /// One for the broker. The answer is [`Answer::Broker`].
    Broker(Channel, BrokerRequest),
    /// One for presence. The answer is [`Answer::Presence`].
    Presence(Channel, PresenceRequest),
}

/// Requests whose answers nobody waits for.
#[derive(Clone, Debug)]
pub enum Deed {
    /// One for the broker.
    Broker(BrokerRequest),
    /// One for presence.
    Presence(PresenceRequest),
}

/// Who wants to connect.
#[derive(Clone, Debug)]
pub struct Authenticate {
    /// The session, for asking its transport about headers and addresses.
    pub session: SessionId,
    /// The id that the client will have.
    pub client: String,
    /// What it speaks.
    pub encoding: Encoding,
    /// The token of the `connect` command; empty if it had none.
    pub token: String,
    /// The data of the `connect` command; empty if it had none.
    pub data: Bytes,
    /// The client's name of itself (an SDK), at most 16 characters by convention.
    pub name: String,
    /// The version of that.
    pub version: String,
    /// The server-side subscriptions that it wants to recover.
    pub channels: Vec<String>,
    /// What it says instead of HTTP headers. Untrusted.
    pub headers: BTreeMap<String, String>,
}

/// An answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Question::Authenticate`] and [`Question::Refresh`].
    Credentials(Result<Credentials, Refusal>),
    /// To [`Question::VerifySubscription`] and [`Matter::Subscribe`](crate::backend::Matter::Subscribe).
    Grant(Result<Grant, Refusal>),
    /// To [`Matter::Refresh`](crate::backend::Matter::Refresh) and
    /// [`Matter::SubRefresh`](crate::backend::Matter::SubRefresh).
    Renewal(Renewal),
    /// To [`Matter::Publish`](crate::backend::Matter::Publish).
    Approval(Result<Approval, Refusal>),
    /// To [`Matter::Rpc`](crate::backend::Matter::Rpc): the result, raw JSON or binary.
    Rpc(Result<Bytes, Refusal>),
    /// To [`Question::Broker`].
    Broker(BrokerAnswer),
    /// To [`Question::Presence`].
    Presence(PresenceAnswer),
}

/// Who somebody is, and what comes with it.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user; empty is anonymous.
    pub user: String,
    /// What others are told of this connection (`conn_info`); raw JSON or binary, empty is nothing.
    pub info: Bytes,
    /// Unix seconds at which the connection expires unless it is refreshed; `None` never.
    pub expire_at: Option<u64>,
    /// Custom data for the connect reply; empty is nothing.
    pub data: Bytes,
    /// Server-side subscriptions.
    pub channels: Vec<(Channel, Grant)>,
    /// What it may do beyond what namespaces permit.
    pub capabilities: Capabilities,
    /// What the backend wants to be told of this connection whenever it is asked; nobody else sees it.
    pub meta: Bytes,
    /// When the connection expires, the backend is asked whether it goes on; the client need not refresh it.
    pub renewed_by_backend: bool,
    /// Which token says so; `None` if none does.
    pub token: Option<TokenMark>,
}

/// What a subscription token, or the backend, says of one subscription.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// What others are told of this subscription (`chan_info`); empty is nothing.
    pub info: Bytes,
    /// Custom data for the subscribe reply; empty is nothing.
    pub data: Bytes,
    /// Unix seconds at which the subscription expires unless it is refreshed; `None` never.
    pub expire_at: Option<u64>,
    /// What it changes of the namespace's options.
    pub options: SubscriptionOptions,
    /// What the subscriber may do in the channel beyond what its namespace permits.
    pub rights: Rights,
    /// Which token says so; `None` if none does, or that of the connection.
    pub token: Option<TokenMark>,
}

/// Why somebody is not let in, or may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An error reply.
    Error(ErrorCode),
    /// The end of the connection.
    Disconnect(DisconnectCode),
    /// An error reply in the backend's words.
    Worded(Box<Error>),
    /// The end of the connection, with a code and words of the backend's.
    Ended(DisconnectReason),
    /// An error reply that asks to come back, not before this time; whoever decided that has spread those it sent away.
    Later(Duration),
}

impl Refusal {
    /// The error reply; `None` if the connection ends instead. Only a client with our extensions is told a time in a
    /// field of its own.
    pub(crate) fn into_error(self, extended: bool) -> Result<Error, DisconnectReason> {
        match self {
            Self::Error(code) => Ok(code.into()),
            Self::Worded(error) => Ok(*error),
            Self::Later(wait) => {
                let millis = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
                let sw_retry_after = if extended { millis } else { 0 };
                // Any other client has people who read its log.
                let message = format!("{}: try again in {millis} ms", ErrorCode::TooManyRequests.reason());
                Ok(Error { message, sw_retry_after, ..ErrorCode::TooManyRequests.into() })
            }
            Self::Disconnect(code) => Err(code.into()),
            Self::Ended(reason) => Err(reason),
        }
    }
}

/// Where a subscriber wants to go on, from its command.
pub(crate) fn wanted_position(recover: bool, offset: u64, epoch: &str) -> Option<Position> {
    recover.then(|| Position { offset, epoch: crate::channel::Epoch::new(epoch) })
}

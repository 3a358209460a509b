//! What happens to a hub, and what it asks of the world.

use std::sync::Arc;

use spanwire_wire::DisconnectReason;
use spanwire_wire::message::ClientInfo;

use crate::broker::BrokerRequest;
use crate::channel::Channel;
use crate::delivery::Delivery;
use crate::denial::Denial;
use crate::expirable::{Expirable, Refreshed};
use crate::happening::Happening;
use crate::namespace::Namespaces;
use crate::presence::PresenceRequest;
use crate::{Answer, AskId, Order, Question};

/// Names a session for as long as it lives; another session in the same place has another generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// The place in the hub's tables: small, dense, used again. A driver may index its own tables by it.
    pub index: u32,
    /// Which session in that place.
    pub generation: u32,
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
    Publication(Channel, Arc<Delivery>),
    /// A client came to such a channel.
    Join(Channel, Arc<ClientInfo>),
    /// A client left such a channel.
    Leave(Channel, Arc<ClientInfo>),
    /// A client that lags has read; [`Hub::may_catch_up`](crate::Hub::may_catch_up) says when that is worth a word.
    Drained(SessionId),
    /// The backend orders something.
    Order(Order),
    /// What clients may do where is another from now on.
    Namespaces(Namespaces),
    /// [`Hub::next_deadline`](crate::Hub::next_deadline) has passed.
    Tick,
    /// The node shuts down: every session is closed with code 3001, and no new one connects.
    Drain,
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
    /// A client may lag from now on: what it is sent had better not grow old in buffers below us.
    MayLag(SessionId),
    /// Tell the operator that a client reads more slowly than a channel is published to, for the first time in its
    /// session.
    Lags(SessionId, Channel),
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

/// Requests whose answers nobody waits for.
#[derive(Clone, Debug)]
pub enum Deed {
    /// One for the broker.
    Broker(BrokerRequest),
    /// One for presence.
    Presence(PresenceRequest),
}

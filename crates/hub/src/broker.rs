//! The broker: the only one who gives a publication its offset, keeps history, and says who must hear of it.
//!
//! A broker is submitted requests and polled for events; it never calls back and never blocks, so one that
//! answers from memory and one that asks a database look alike to the hub. It serves *listeners*: the shards
//! of this node. A shard that has subscribers of a channel is a listener of it, once.
//!
//! What every implementation owes ([`crate::conformance`] tests it):
//!
//! 1. Offsets of a channel with history start at 1 and have no holes within an epoch.
//! 2. Each listener gets the publications of a channel in the order of their offsets.
//! 3. After [`BrokerRequest::Subscribe`] was submitted, the listener gets every publication behind the position
//!    that the answer names. It may get earlier ones too, and may get them before the answer: the hub sorts that out.
//! 4. A publish that was answered is in the history, if the channel has one.
//! 5. History since a position is whole or refused, never a part (unless `limit` cut the newer end off).
//! 6. Requests of one listener for one channel take effect in the order in which they were submitted.
//! 7. Every [`BrokerAnswer::Subscribed`] counts one subscriber of the channel, until its listener gives it back by one
//!    [`BrokerRequest::Unsubscribe`]. A channel never has more subscribers than a subscribe lets it have.

mod memory;

pub use memory::{MemoryBroker, MemoryLimits, MemoryUsage};

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use crate::channel::{Channel, Position};
use crate::delivery::Delivery;
use crate::rate::Rate;
use crate::tags_filter::TagsFilter;
use crate::time::Now;

/// A shard of this node, as the brokers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listener(pub u16);

/// Names a request, so that its answer finds whoever asked. Unique among a listener's unanswered requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

impl Ticket {
    /// The ticket of a request whose answer nobody waits for: none is given.
    pub const NOBODY: Self = Self(u64::MAX);
}

/// What a channel's namespace says of its history. A channel without history has no offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Most publications kept.
    pub size: usize,
    /// How long after the last publication all of them vanish; offsets go on.
    pub ttl: Duration,
    /// How long after its last use a stream's epoch and top offset are forgotten; the next use begins a new epoch.
    pub meta_ttl: Duration,
}

/// A publication that has no offset yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What to publish; `offset` and `epoch` are the broker's to fill in.
    pub publication: Publication,
    /// History options of the channel; `None` publishes past the history.
    pub history: Option<HistoryOptions>,
    /// A repeat with the same key within the broker's idempotency window is answered with the first one's
    /// position and not published again.
    pub idempotency_key: Option<Bytes>,
    /// How often drafts with such a rate may be published in the channel, all of them together. A channel that has
    /// neither listeners nor a history is not counted: nobody is there to be flooded.
    pub rate: Rate,
    /// Whether subscribers who take deltas may be told it by a patch of the publication before
    /// ([`Delivery::with_base`]).
    pub delta: bool,
}

/// What can be asked of a broker about one channel.
#[derive(Clone, Debug)]
pub enum BrokerRequest {
    /// Append to the history, give an offset, tell all listeners.
    Publish(Draft),
    /// Count one more subscriber of the asking listener, which listens to the channel from now on, and read where the
    /// stream stands, in one step.
    Subscribe {
        /// History options of the channel; `None` if it keeps none (then there is no position).
        history: Option<HistoryOptions>,
        /// What the subscriber is to be given of what was published before.
        recall: Recall,
        /// Most subscribers that the channel may have, this one included; `None` is any number.
        subscribers_max: Option<NonZeroU32>,
    },
    /// A subscriber of the asking listener is there no more. With its last one, the listener hears nothing more.
    Unsubscribe,
    /// Tell all listeners that a client came.
    Join(ClientInfo),
    /// Tell all listeners that a client went.
    Leave(ClientInfo),
    /// Read the history.
    History {
        /// History options of the channel.
        history: HistoryOptions,
        /// Which part of it.
        query: HistoryQuery,
    },
    /// Forget the publications kept; the position stays.
    RemoveHistory,
}

/// What of the past a subscriber is to be given as it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Recall {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything behind a position, whole or not at all.
    Since {
        /// Where the subscriber left off.
        position: Position,
        /// Most publications that this may be; more is refused.
        limit: usize,
    },
    /// The latest publication that is kept; with a filter, the latest that passes it.
    Latest {
        /// Which publications count; `None` is all.
        filter: Option<Arc<TagsFilter>>,
        /// How many of the newest publications are looked at, so that a filter which nothing passes costs no walk through
        /// the whole history.
        limit: usize,
    },
}

/// Which part of a history is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Most publications to return; `None` is no limit, 0 asks for the position only.
    pub limit: Option<usize>,
    /// Only publications behind this position (before it when `reverse`), itself excluded.
    pub since: Option<Position>,
    /// Newest first.
    pub reverse: bool,
}

/// What a broker answers.
#[derive(Clone, Debug)]
pub enum BrokerAnswer {
    /// The publication is published: its position, or `None` in a channel without history.
    Published(Option<Position>),
    /// The subscriber is counted, and the listener listens.
    Subscribed {
        /// The top of the stream at that moment; `None` in a channel without history.
        top: Option<Position>,
        /// What was to be recalled, ascending up to `top`. `None` if nothing was; if what lies behind the position
        /// is not whole; or if no publication is kept that would be the latest.
        recalled: Option<Vec<Publication>>,
    },
    /// The wanted part of the history and the top of the stream.
    History {
        /// Publications in the wanted order.
        publications: Vec<Publication>,
        /// The top of the stream.
        top: Position,
    },
    /// Done; there is nothing to tell.
    Done,
    /// Not done.
    Refused(BrokerError),
}

/// Why a broker did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerError {
    /// `since` names an epoch that is not the stream's, an offset that the stream has not reached, or (unless
    /// `reverse`) one behind which something is not kept any more.
    UnrecoverablePosition,
    /// The broker cannot do it now; trying again may help.
    Unavailable,
    /// More was published than [`Draft::rate`] lets through; after this time there is room again.
    TooMany(Duration),
    /// The channel has as many subscribers as it may have.
    Full,
}

/// What a broker tells a listener.
#[derive(Clone, Debug)]
pub enum BrokerEvent {
    /// The answer to the request of this ticket.
    Answer(Ticket, BrokerAnswer),
    /// A publication for the subscribers of a channel.
    Publication(Channel, Arc<Delivery>),
    /// A client came.
    Join(Channel, Arc<ClientInfo>),
    /// A client went.
    Leave(Channel, Arc<ClientInfo>),
}

/// One who assigns positions, keeps history, and carries publications to the shards that have subscribers.
pub trait Broker {
    /// Takes a request. [`Broker::poll`] is to be drained afterwards.
    fn submit(&mut self, now: Now, from: Listener, ticket: Ticket, channel: &Channel, request: BrokerRequest);

    /// The next event and whom it is for.
    fn poll(&mut self) -> Option<(Listener, BrokerEvent)>;

    /// Lets go of what has outlived its time. Called about once a second.
    fn expire(&mut self, now: Now);
}

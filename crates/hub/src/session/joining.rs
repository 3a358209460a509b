//! A subscribe on its way to its reply.

use std::sync::Arc;

use bytes::Bytes;

use spanwire_wire::message::Publication;

use super::{Traits, Wishes};
use crate::channel::Position;
use crate::revocation::TokenMark;
use crate::tags_filter::TagsFilter;

/// What is known of a subscription before it is live.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) purpose: Purpose,
    /// Where the client left off, if it wants to recover.
    pub(crate) since: Option<Position>,
    /// The client reloads its state by itself: tell it by error 112 if it cannot recover
    /// (`SubscribeRequest.flag`, bit 1).
    pub(crate) reject_unrecovered: bool,
    pub(crate) traits: Traits,
    /// Which publications it wants; `None` is all.
    pub(crate) filter: Option<Arc<TagsFilter>>,
    /// `chan_info`; empty is nothing.
    pub(crate) info: Bytes,
    /// Custom data for the reply; empty is nothing.
    pub(crate) data: Bytes,
    /// When the subscription expires, in seconds since 1970.
    pub(crate) expire_at: Option<u64>,
    /// The token that opens it, if one of its own does.
    pub(crate) token: Option<TokenMark>,
    pub(crate) stage: Stage,
}

/// What the subscribe is answered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The reply to the client's subscribe command of this id.
    Command(u32),
    /// A part of the connect reply: a server-side subscription.
    Connect,
    /// A push: a server-side subscription that the backend has ordered.
    Order,
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// It is being decided whether it may; these are its wishes.
    Verifying(Wishes),
    /// The broker is asked where the stream stands, and whether there is room for one more subscriber.
    Reading,
    /// The broker counts it as a subscriber, and presence is asked, if the channel has it.
    Appearing {
        /// Where the subscriber stands; `None` in a channel without history.
        top: Option<Position>,
        /// What the broker has recalled for it.
        recalled: Option<Vec<Publication>>,
    },
    /// All is known; it goes live as soon as the reply is written.
    Ready {
        /// Where the subscriber stands; `None` in a channel without history.
        top: Option<Position>,
        /// It takes deltas, and its reply has the base of what comes next.
        has_base: bool,
    },
}

impl Stage {
    /// Whether the broker counts it as a subscriber.
    pub(crate) fn is_counted(&self) -> bool {
        match self {
            Self::Verifying(_) | Self::Reading => false,
            Self::Appearing { .. } | Self::Ready { .. } => true,
        }
    }
}

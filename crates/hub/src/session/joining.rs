//! A subscribe on its way to its reply.

use bytes::Bytes;

use super::{Traits, Wishes};
use crate::broker::BrokerAnswer;
use crate::channel::Position;
use crate::revocation::TokenMark;

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
    /// The broker, and presence if the channel has it, are asked.
    Reading {
        /// The broker's answer, once it is here.
        broker: Option<BrokerAnswer>,
        /// Presence has not answered yet.
        presence_pending: bool,
    },
    /// All is known; it goes live as soon as the reply is written.
    Ready {
        /// Where the subscriber stands; `None` in a channel without history.
        top: Option<Position>,
    },
}

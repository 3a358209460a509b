//! What the server says unasked.

use crate::message::{
    Connect, Disconnect, Join, Leave, Message, Publication, Refresh, Subscribe, Unsubscribe,
};

/// An event that the server tells a client about.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The number that stands for the channel, when the subscription negotiated one
    /// ([`SubscribeResult::id`](crate::message::SubscribeResult::id)); else 0.
    pub id: i64,
    /// The channel; empty when the event concerns the session as a whole, or when `id` stands for it.
    pub channel: String,
    /// What happened.
    pub event: PushEvent,
}

impl Push {
    /// An event in a channel, named in full.
    pub fn new(channel: impl Into<String>, event: PushEvent) -> Self {
        Self { id: 0, channel: channel.into(), event }
    }
}

/// What happened.
///
/// If a push on the wire has several, the first one counts, in the order of the variants here.
#[derive(Clone, Debug, PartialEq)]
pub enum PushEvent {
    /// See [`Publication`].
    Publication(Publication),
    /// See [`Join`].
    Join(Join),
    /// See [`Leave`].
    Leave(Leave),
    /// See [`Unsubscribe`].
    Unsubscribe(Unsubscribe),
    /// See [`Message`].
    Message(Message),
    /// See [`Subscribe`].
    Subscribe(Subscribe),
    /// See [`Connect`].
    Connect(Connect),
    /// See [`Disconnect`].
    Disconnect(Disconnect),
    /// See [`Refresh`].
    Refresh(Refresh),
    /// Something that this version does not know.
    Unknown,
}

//! What the server says unasked.

use serde::Deserialize;

use crate::json::{nullable, object};
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

/// A push as it stands on the wire, where nothing says that there is only one event.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(crate) struct RawPush {
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    id: i64,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    channel: String,
    #[prost(message, optional, tag = "4")]
    #[serde(deserialize_with = "object")]
    r#pub: Option<Publication>,
    #[prost(message, optional, tag = "5")]
    #[serde(deserialize_with = "object")]
    join: Option<Join>,
    #[prost(message, optional, tag = "6")]
    #[serde(deserialize_with = "object")]
    leave: Option<Leave>,
    #[prost(message, optional, tag = "7")]
    #[serde(deserialize_with = "object")]
    unsubscribe: Option<Unsubscribe>,
    #[prost(message, optional, tag = "8")]
    #[serde(deserialize_with = "object")]
    message: Option<Message>,
    #[prost(message, optional, tag = "9")]
    #[serde(deserialize_with = "object")]
    subscribe: Option<Subscribe>,
    #[prost(message, optional, tag = "10")]
    #[serde(deserialize_with = "object")]
    connect: Option<Connect>,
    #[prost(message, optional, tag = "11")]
    #[serde(deserialize_with = "object")]
    disconnect: Option<Disconnect>,
    #[prost(message, optional, tag = "12")]
    #[serde(deserialize_with = "object")]
    refresh: Option<Refresh>,
}

impl From<RawPush> for Push {
    fn from(mut raw: RawPush) -> Self {
        let (id, channel) = (raw.id, std::mem::take(&mut raw.channel));
        let event = match raw {
            RawPush { r#pub: Some(event), .. } => PushEvent::Publication(event),
            RawPush { join: Some(event), .. } => PushEvent::Join(event),
            RawPush { leave: Some(event), .. } => PushEvent::Leave(event),
            RawPush { unsubscribe: Some(event), .. } => PushEvent::Unsubscribe(event),
            RawPush { message: Some(event), .. } => PushEvent::Message(event),
            RawPush { subscribe: Some(event), .. } => PushEvent::Subscribe(event),
            RawPush { connect: Some(event), .. } => PushEvent::Connect(event),
            RawPush { disconnect: Some(event), .. } => PushEvent::Disconnect(event),
            RawPush { refresh: Some(event), .. } => PushEvent::Refresh(event),
            _ => PushEvent::Unknown,
        };
        Self { id, channel, event }
    }
}

//! What the server says unasked.

use serde::Deserialize;

use crate::json::{boxed, nullable};
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
    /// See [`Publication`]. Boxed, for it is large, and on its way to whom it is for it is moved often.
    Publication(Box<Publication>),
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

/// A push as it stands on the wire, where nothing says that there is only one event. They are boxed, as in `RawReply`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(crate) struct RawPush {
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    id: i64,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    channel: String,
    #[prost(message, optional, boxed, tag = "4")]
    #[serde(deserialize_with = "boxed")]
    r#pub: Option<Box<Publication>>,
    #[prost(message, optional, boxed, tag = "5")]
    #[serde(deserialize_with = "boxed")]
    join: Option<Box<Join>>,
    #[prost(message, optional, boxed, tag = "6")]
    #[serde(deserialize_with = "boxed")]
    leave: Option<Box<Leave>>,
    #[prost(message, optional, boxed, tag = "7")]
    #[serde(deserialize_with = "boxed")]
    unsubscribe: Option<Box<Unsubscribe>>,
    #[prost(message, optional, boxed, tag = "8")]
    #[serde(deserialize_with = "boxed")]
    message: Option<Box<Message>>,
    #[prost(message, optional, boxed, tag = "9")]
    #[serde(deserialize_with = "boxed")]
    subscribe: Option<Box<Subscribe>>,
    #[prost(message, optional, boxed, tag = "10")]
    #[serde(deserialize_with = "boxed")]
    connect: Option<Box<Connect>>,
    #[prost(message, optional, boxed, tag = "11")]
    #[serde(deserialize_with = "boxed")]
    disconnect: Option<Box<Disconnect>>,
    #[prost(message, optional, boxed, tag = "12")]
    #[serde(deserialize_with = "boxed")]
    refresh: Option<Box<Refresh>>,
}

impl From<RawPush> for Push {
    fn from(mut raw: RawPush) -> Self {
        let (id, channel) = (raw.id, std::mem::take(&mut raw.channel));
        let event = match raw {
            RawPush { r#pub: Some(event), .. } => PushEvent::Publication(event),
            RawPush { join: Some(event), .. } => PushEvent::Join(*event),
            RawPush { leave: Some(event), .. } => PushEvent::Leave(*event),
            RawPush { unsubscribe: Some(event), .. } => PushEvent::Unsubscribe(*event),
            RawPush { message: Some(event), .. } => PushEvent::Message(*event),
            RawPush { subscribe: Some(event), .. } => PushEvent::Subscribe(*event),
            RawPush { connect: Some(event), .. } => PushEvent::Connect(*event),
            RawPush { disconnect: Some(event), .. } => PushEvent::Disconnect(*event),
            RawPush { refresh: Some(event), .. } => PushEvent::Refresh(*event),
            _ => PushEvent::Unknown,
        };
        Self { id, channel, event }
    }
}

//! What a client says.

use serde::Deserialize;

use crate::json::{boxed, nullable};
use crate::message::{
    ConnectRequest, HistoryRequest, PingRequest, PresenceRequest, PresenceStatsRequest, PublishRequest,
    RefreshRequest, RpcRequest, SendRequest, SubRefreshRequest, SubscribeRequest, UnsubscribeRequest,
};

/// One thing a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Number by which the reply will say what it answers; 0 only for [`Request::Pong`] and
    /// [`Request::Send`], which have no reply.
    pub id: u32,
    /// What is asked.
    pub request: Request,
}

/// What a command asks.
///
/// On the wire each request is a field of the command and nothing forbids two. The first one present counts,
/// in the order of the variants here. Without an id only `send` counts: any other result would have no
/// command to refer to, so what remains is a pong.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// The answer to a ping of the server: an empty command.
    Pong,
    /// See [`ConnectRequest`].
    Connect(ConnectRequest),
    /// See [`PingRequest`].
    Ping(PingRequest),
    /// See [`SubscribeRequest`].
    Subscribe(SubscribeRequest),
    /// See [`UnsubscribeRequest`].
    Unsubscribe(UnsubscribeRequest),
    /// See [`PublishRequest`].
    Publish(PublishRequest),
    /// See [`PresenceRequest`].
    Presence(PresenceRequest),
    /// See [`PresenceStatsRequest`].
    PresenceStats(PresenceStatsRequest),
    /// See [`HistoryRequest`].
    History(HistoryRequest),
    /// See [`RpcRequest`].
    Rpc(RpcRequest),
    /// See [`SendRequest`].
    Send(SendRequest),
    /// See [`RefreshRequest`].
    Refresh(RefreshRequest),
    /// See [`SubRefreshRequest`].
    SubRefresh(SubRefreshRequest),
    /// A command with an id, and with no request that we know.
    Unknown,
}

/// A command as it stands on the wire, where nothing says that there is only one request. They are boxed, as in `RawReply`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(crate) struct RawCommand {
    #[prost(uint32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    id: u32,
    #[prost(message, optional, boxed, tag = "4")]
    #[serde(deserialize_with = "boxed")]
    connect: Option<Box<ConnectRequest>>,
    #[prost(message, optional, boxed, tag = "5")]
    #[serde(deserialize_with = "boxed")]
    subscribe: Option<Box<SubscribeRequest>>,
    #[prost(message, optional, boxed, tag = "6")]
    #[serde(deserialize_with = "boxed")]
    unsubscribe: Option<Box<UnsubscribeRequest>>,
    #[prost(message, optional, boxed, tag = "7")]
    #[serde(deserialize_with = "boxed")]
    publish: Option<Box<PublishRequest>>,
    #[prost(message, optional, boxed, tag = "8")]
    #[serde(deserialize_with = "boxed")]
    presence: Option<Box<PresenceRequest>>,
    #[prost(message, optional, boxed, tag = "9")]
    #[serde(deserialize_with = "boxed")]
    presence_stats: Option<Box<PresenceStatsRequest>>,
    #[prost(message, optional, boxed, tag = "10")]
    #[serde(deserialize_with = "boxed")]
    history: Option<Box<HistoryRequest>>,
    #[prost(message, optional, boxed, tag = "11")]
    #[serde(deserialize_with = "boxed")]
    ping: Option<Box<PingRequest>>,
    #[prost(message, optional, boxed, tag = "12")]
    #[serde(deserialize_with = "boxed")]
    send: Option<Box<SendRequest>>,
    #[prost(message, optional, boxed, tag = "13")]
    #[serde(deserialize_with = "boxed")]
    rpc: Option<Box<RpcRequest>>,
    #[prost(message, optional, boxed, tag = "14")]
    #[serde(deserialize_with = "boxed")]
    refresh: Option<Box<RefreshRequest>>,
    #[prost(message, optional, boxed, tag = "15")]
    #[serde(deserialize_with = "boxed")]
    sub_refresh: Option<Box<SubRefreshRequest>>,
}

impl From<RawCommand> for Command {
    fn from(raw: RawCommand) -> Self {
        let id = raw.id;
        let request = if id == 0 { raw.request_without_id() } else { raw.request() };
        Self { id, request }
    }
}

impl RawCommand {
    fn request_without_id(self) -> Request {
        self.send.map_or(Request::Pong, |request| Request::Send(*request))
    }

    fn request(self) -> Request {
        match self {
            Self { connect: Some(request), .. } => Request::Connect(*request),
            Self { ping: Some(request), .. } => Request::Ping(*request),
            Self { subscribe: Some(request), .. } => Request::Subscribe(*request),
            Self { unsubscribe: Some(request), .. } => Request::Unsubscribe(*request),
            Self { publish: Some(request), .. } => Request::Publish(*request),
            Self { presence: Some(request), .. } => Request::Presence(*request),
            Self { presence_stats: Some(request), .. } => Request::PresenceStats(*request),
            Self { history: Some(request), .. } => Request::History(*request),
            Self { rpc: Some(request), .. } => Request::Rpc(*request),
            Self { send: Some(request), .. } => Request::Send(*request),
            Self { refresh: Some(request), .. } => Request::Refresh(*request),
            Self { sub_refresh: Some(request), .. } => Request::SubRefresh(*request),
            _ => Request::Unknown,
        }
    }
}

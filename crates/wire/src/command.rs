//! What a client says.

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

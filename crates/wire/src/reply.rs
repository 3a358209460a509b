//! What the server says.

use serde::Deserialize;

use crate::json::{nullable, object};
use crate::message::{
    ConnectResult, Error, HistoryResult, PingResult, PresenceResult, PresenceStatsResult, PublishResult,
    RefreshResult, RpcResult, SubRefreshResult, SubscribeResult, UnsubscribeResult,
};
use crate::push::{Push, RawPush};

/// One thing the server says: the three things that a `Reply` of the protocol can be.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// Are you there? An empty message; a client answers with a pong.
    Ping,
    /// The answer to a command.
    Reply(Reply),
    /// Something the client did not ask for just now.
    Push(Push),
}

/// The answer to one command.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The id of the command.
    pub id: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a command: an error, or the result of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was refused.
    Error(Error),
    /// See [`ConnectResult`].
    Connect(ConnectResult),
    /// See [`SubscribeResult`].
    Subscribe(SubscribeResult),
    /// See [`UnsubscribeResult`].
    Unsubscribe(UnsubscribeResult),
    /// See [`PublishResult`].
    Publish(PublishResult),
    /// See [`PresenceResult`].
    Presence(PresenceResult),
    /// See [`PresenceStatsResult`].
    PresenceStats(PresenceStatsResult),
    /// See [`HistoryResult`].
    History(HistoryResult),
    /// See [`PingResult`].
    Ping(PingResult),
    /// See [`RpcResult`].
    Rpc(RpcResult),
    /// See [`RefreshResult`].
    Refresh(RefreshResult),
    /// See [`SubRefreshResult`].
    SubRefresh(SubRefreshResult),
    /// Something that this version does not know.
    Unknown,
}

/// A reply as it stands on the wire, where nothing says that there is only one outcome.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(crate) struct RawReply {
    #[prost(uint32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    id: u32,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "object")]
    error: Option<Error>,
    #[prost(message, optional, tag = "4")]
    #[serde(deserialize_with = "object")]
    push: Option<RawPush>,
    #[prost(message, optional, tag = "5")]
    #[serde(deserialize_with = "object")]
    connect: Option<ConnectResult>,
    #[prost(message, optional, tag = "6")]
    #[serde(deserialize_with = "object")]
    subscribe: Option<SubscribeResult>,
    #[prost(message, optional, tag = "7")]
    #[serde(deserialize_with = "object")]
    unsubscribe: Option<UnsubscribeResult>,
    #[prost(message, optional, tag = "8")]
    #[serde(deserialize_with = "object")]
    publish: Option<PublishResult>,
    #[prost(message, optional, tag = "9")]
    #[serde(deserialize_with = "object")]
    presence: Option<PresenceResult>,
    #[prost(message, optional, tag = "10")]
    #[serde(deserialize_with = "object")]
    presence_stats: Option<PresenceStatsResult>,
    #[prost(message, optional, tag = "11")]
    #[serde(deserialize_with = "object")]
    history: Option<HistoryResult>,
    #[prost(message, optional, tag = "12")]
    #[serde(deserialize_with = "object")]
    ping: Option<PingResult>,
    #[prost(message, optional, tag = "13")]
    #[serde(deserialize_with = "object")]
    rpc: Option<RpcResult>,
    #[prost(message, optional, tag = "14")]
    #[serde(deserialize_with = "object")]
    refresh: Option<RefreshResult>,
    #[prost(message, optional, tag = "15")]
    #[serde(deserialize_with = "object")]
    sub_refresh: Option<SubRefreshResult>,
}

impl From<RawReply> for ServerMessage {
    fn from(mut raw: RawReply) -> Self {
        let id = raw.id;
        let push = raw.push.take();
        match (id, push, raw.outcome()) {
            (0, Some(push), _) => Self::Push(push.into()),
            (0, None, Outcome::Unknown) => Self::Ping,
            (_, _, outcome) => Self::Reply(Reply { id, outcome }),
        }
    }
}

impl RawReply {
    fn outcome(self) -> Outcome {
        match self {
            Self { error: Some(error), .. } => Outcome::Error(error),
            Self { connect: Some(result), .. } => Outcome::Connect(result),
            Self { subscribe: Some(result), .. } => Outcome::Subscribe(result),
            Self { unsubscribe: Some(result), .. } => Outcome::Unsubscribe(result),
            Self { publish: Some(result), .. } => Outcome::Publish(result),
            Self { presence: Some(result), .. } => Outcome::Presence(result),
            Self { presence_stats: Some(result), .. } => Outcome::PresenceStats(result),
            Self { history: Some(result), .. } => Outcome::History(result),
            Self { ping: Some(result), .. } => Outcome::Ping(result),
            Self { rpc: Some(result), .. } => Outcome::Rpc(result),
            Self { refresh: Some(result), .. } => Outcome::Refresh(result),
            Self { sub_refresh: Some(result), .. } => Outcome::SubRefresh(result),
            _ => Outcome::Unknown,
        }
    }
}

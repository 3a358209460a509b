//! What the server says.

use serde::Deserialize;

use crate::json::{boxed, nullable};
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
///
/// What it may hold is boxed: all of it side by side is kilobytes, and would be moved once for each level of the parser.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(crate) struct RawReply {
    #[prost(uint32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    id: u32,
    #[prost(message, optional, boxed, tag = "2")]
    #[serde(deserialize_with = "boxed")]
    error: Option<Box<Error>>,
    #[prost(message, optional, boxed, tag = "4")]
    #[serde(deserialize_with = "boxed")]
    push: Option<Box<RawPush>>,
    #[prost(message, optional, boxed, tag = "5")]
    #[serde(deserialize_with = "boxed")]
    connect: Option<Box<ConnectResult>>,
    #[prost(message, optional, boxed, tag = "6")]
    #[serde(deserialize_with = "boxed")]
    subscribe: Option<Box<SubscribeResult>>,
    #[prost(message, optional, boxed, tag = "7")]
    #[serde(deserialize_with = "boxed")]
    unsubscribe: Option<Box<UnsubscribeResult>>,
    #[prost(message, optional, boxed, tag = "8")]
    #[serde(deserialize_with = "boxed")]
    publish: Option<Box<PublishResult>>,
    #[prost(message, optional, boxed, tag = "9")]
    #[serde(deserialize_with = "boxed")]
    presence: Option<Box<PresenceResult>>,
    #[prost(message, optional, boxed, tag = "10")]
    #[serde(deserialize_with = "boxed")]
    presence_stats: Option<Box<PresenceStatsResult>>,
    #[prost(message, optional, boxed, tag = "11")]
    #[serde(deserialize_with = "boxed")]
    history: Option<Box<HistoryResult>>,
    #[prost(message, optional, boxed, tag = "12")]
    #[serde(deserialize_with = "boxed")]
    ping: Option<Box<PingResult>>,
    #[prost(message, optional, boxed, tag = "13")]
    #[serde(deserialize_with = "boxed")]
    rpc: Option<Box<RpcResult>>,
    #[prost(message, optional, boxed, tag = "14")]
    #[serde(deserialize_with = "boxed")]
    refresh: Option<Box<RefreshResult>>,
    #[prost(message, optional, boxed, tag = "15")]
    #[serde(deserialize_with = "boxed")]
    sub_refresh: Option<Box<SubRefreshResult>>,
}

impl From<RawReply> for ServerMessage {
    fn from(mut raw: RawReply) -> Self {
        let id = raw.id;
        let push = raw.push.take();
        match (id, push, raw.outcome()) {
            (0, Some(push), _) => Self::Push((*push).into()),
            (0, None, Outcome::Unknown) => Self::Ping,
            (_, _, outcome) => Self::Reply(Reply { id, outcome }),
        }
    }
}

impl RawReply {
    fn outcome(self) -> Outcome {
        match self {
            Self { error: Some(error), .. } => Outcome::Error(*error),
            Self { connect: Some(result), .. } => Outcome::Connect(*result),
            Self { subscribe: Some(result), .. } => Outcome::Subscribe(*result),
            Self { unsubscribe: Some(result), .. } => Outcome::Unsubscribe(*result),
            Self { publish: Some(result), .. } => Outcome::Publish(*result),
            Self { presence: Some(result), .. } => Outcome::Presence(*result),
            Self { presence_stats: Some(result), .. } => Outcome::PresenceStats(*result),
            Self { history: Some(result), .. } => Outcome::History(*result),
            Self { ping: Some(result), .. } => Outcome::Ping(*result),
            Self { rpc: Some(result), .. } => Outcome::Rpc(*result),
            Self { refresh: Some(result), .. } => Outcome::Refresh(*result),
            Self { sub_refresh: Some(result), .. } => Outcome::SubRefresh(*result),
            _ => Outcome::Unknown,
        }
    }
}

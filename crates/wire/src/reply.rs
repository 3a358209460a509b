//! What the server says.

use crate::message::{
    ConnectResult, Error, HistoryResult, PingResult, PresenceResult, PresenceStatsResult, PublishResult,
    RefreshResult, RpcResult, SubRefreshResult, SubscribeResult, UnsubscribeResult,
};
use crate::push::Push;

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

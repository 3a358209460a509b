//! What a call asks for: a method, and all that it needs of its body.

use super::World;
use super::batch::Batch;
use super::broadcast::Broadcast;
use super::channels::Channels;
use super::disconnect::Disconnect;
use super::failure::Failure;
use super::history::History;
use super::history_remove::HistoryRemove;
use super::info::Info;
use super::method::Method;
use super::presence::Presence;
use super::presence_stats::PresenceStats;
use super::publish::Publish;
use super::refresh::Refresh;
use super::subscribe::Subscribe;
use super::unsubscribe::Unsubscribe;

/// A call that has been understood, and not done yet.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// One publication to one channel.
    Publish(Publish),
    /// One publication to many channels.
    Broadcast(Broadcast),
    /// The end of subscriptions.
    Unsubscribe(Unsubscribe),
    /// The end of connections.
    Disconnect(Disconnect),
    /// Who is in a channel.
    Presence(Presence),
    /// How many are in a channel.
    PresenceStats(PresenceStats),
    /// What a channel has kept.
    History(History),
    /// That a channel forgets what it has kept.
    HistoryRemove(HistoryRemove),
    /// The channels with subscribers.
    Channels(Channels),
    /// The nodes, and how much there is on each.
    Info(Info),
    /// Several calls in one.
    Batch(Batch),
    /// Subscriptions that the server makes.
    Subscribe(Subscribe),
    /// When connections end.
    Refresh(Refresh),
}

impl Request {
    /// Reads the body of a call. It depends on nothing else: whether there is such a channel is found out later.
    ///
    /// # Errors
    /// The body is no JSON object with fields of the right kinds, or it asks for what nobody can have.
    pub fn read(method: Method, body: &[u8]) -> Result<Self, Failure> {
        Ok(match method {
            Method::Publish => Self::Publish(Publish::read(body)?),
            Method::Broadcast => Self::Broadcast(Broadcast::read(body)?),
            Method::Unsubscribe => Self::Unsubscribe(Unsubscribe::read(body)?),
            Method::Disconnect => Self::Disconnect(Disconnect::read(body)?),
            Method::Presence => Self::Presence(Presence::read(body)?),
            Method::PresenceStats => Self::PresenceStats(PresenceStats::read(body)?),
            Method::History => Self::History(History::read(body)?),
            Method::HistoryRemove => Self::HistoryRemove(HistoryRemove::read(body)?),
            Method::Channels => Self::Channels(Channels::read(body)?),
            Method::Info => Self::Info(Info),
            Method::Batch => Self::Batch(Batch::read(body)?),
            Method::Subscribe => Self::Subscribe(Subscribe::read(body)?),
            Method::Refresh => Self::Refresh(Refresh::read(body)?),
        })
    }

    /// Does what was asked for, and returns the result as JSON.
    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        match self {
            Self::Publish(request) => request.answer(world).await,
            Self::Broadcast(request) => request.answer(world).await,
            Self::Unsubscribe(request) => request.answer(world),
            Self::Disconnect(request) => request.answer(world),
            Self::Presence(request) => request.answer(world).await,
            Self::PresenceStats(request) => request.answer(world).await,
            Self::History(request) => request.answer(world).await,
            Self::HistoryRemove(request) => request.answer(world).await,
            Self::Channels(request) => request.answer(world).await,
            Self::Info(request) => request.answer(world).await,
            Self::Batch(request) => request.answer(world).await,
            Self::Subscribe(request) => request.answer(world),
            Self::Refresh(request) => request.answer(world),
        }
    }
}

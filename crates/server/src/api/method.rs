//! The methods, by name.

use super::failure::Failure;
use super::{
    World, broadcast, channels, disconnect, history, history_remove, info, presence, presence_stats, publish,
    unsubscribe,
};

/// A method of the server API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Publish,
    Broadcast,
    Unsubscribe,
    Disconnect,
    Presence,
    PresenceStats,
    History,
    HistoryRemove,
    Channels,
    Info,
}

impl Method {
    pub(super) const ALL: [Self; 10] = [
        Self::Publish,
        Self::Broadcast,
        Self::Unsubscribe,
        Self::Disconnect,
        Self::Presence,
        Self::PresenceStats,
        Self::History,
        Self::HistoryRemove,
        Self::Channels,
        Self::Info,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Broadcast => "broadcast",
            Self::Unsubscribe => "unsubscribe",
            Self::Disconnect => "disconnect",
            Self::Presence => "presence",
            Self::PresenceStats => "presence_stats",
            Self::History => "history",
            Self::HistoryRemove => "history_remove",
            Self::Channels => "channels",
            Self::Info => "info",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Does what the body asks for, and returns the result as JSON.
    pub(super) async fn call(self, world: World<'_>, body: &[u8]) -> Result<String, Failure> {
        match self {
            Self::Publish => publish::call(world, body).await,
            Self::Broadcast => broadcast::call(world, body).await,
            Self::Unsubscribe => unsubscribe::call(world, body),
            Self::Disconnect => disconnect::call(world, body),
            Self::Presence => presence::call(world, body).await,
            Self::PresenceStats => presence_stats::call(world, body).await,
            Self::History => history::call(world, body).await,
            Self::HistoryRemove => history_remove::call(world, body).await,
            Self::Channels => channels::call(world, body).await,
            Self::Info => info::call(world).await,
        }
    }
}

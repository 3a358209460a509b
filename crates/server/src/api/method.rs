//! The methods, by name.

/// A method of the server API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One publication to one channel.
    Publish,
    /// One publication to many channels.
    Broadcast,
    /// The end of subscriptions.
    Unsubscribe,
    /// The end of connections.
    Disconnect,
    /// Who is in a channel.
    Presence,
    /// How many are in a channel.
    PresenceStats,
    /// What a channel has kept.
    History,
    /// That a channel forgets what it has kept.
    HistoryRemove,
    /// The channels with subscribers.
    Channels,
    /// The nodes, and how much there is on each.
    Info,
    /// Several calls in one.
    Batch,
    /// Subscriptions that the server makes.
    Subscribe,
    /// When connections end.
    Refresh,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 13] = [
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
        Self::Batch,
        Self::Subscribe,
        Self::Refresh,
    ];

    /// Its name in the path of a call.
    pub fn name(self) -> &'static str {
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
            Self::Batch => "batch",
            Self::Subscribe => "subscribe",
            Self::Refresh => "refresh",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

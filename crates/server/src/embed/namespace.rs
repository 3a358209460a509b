//! The options of a family of channels, as an application writes them.

use std::num::NonZeroU32;
use std::time::Duration;

use spanwire_hub::broker::HistoryOptions;
use spanwire_hub::namespace::{self, DeliveryProfile, Permission, RecoveryMode};

/// How long after its last use a channel's position is remembered, at least: a client that comes back later is told
/// that it may have missed something.
const POSITION_TTL: Duration = Duration::from_secs(30 * 24 * 3600);

/// Whoever was let in.
const EVERYBODY: Permission = Permission { client: true, subscriber: true, anonymous: true };
/// Whoever is in the channel.
const SUBSCRIBERS: Permission = Permission { client: false, subscriber: true, anonymous: true };

/// The options of a family of channels: those whose names begin with the namespace's name and a colon.
///
/// A new one lets nobody subscribe or publish from outside, unless a handler of the namespace says so; the application
/// itself may always. What is said here of clients holds for anonymous ones too: who comes in at all, `on_connect`
/// decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace(namespace::Namespace);

impl Namespace {
    /// A namespace in which every client may subscribe, and every subscriber publish.
    pub fn open() -> Self {
        Self::default().subscribe().publish()
    }

    /// Every client may subscribe (`allow_subscribe_for_client`).
    pub fn subscribe(mut self) -> Self {
        self.0.subscribe = EVERYBODY;
        self
    }

    /// Every subscriber may publish (`allow_publish_for_subscriber`).
    pub fn publish(mut self) -> Self {
        self.0.publish = SUBSCRIBERS;
        self
    }

    /// Channels keep so many publications, for so long after the last one, and subscribers may read them
    /// (`history_size`, `history_ttl`, `allow_history_for_subscriber`). Publications have offsets from then on.
    pub fn history(mut self, size: usize, ttl: Duration) -> Self {
        self.0.history = Some(HistoryOptions { size, ttl, meta_ttl: ttl.max(POSITION_TTL) });
        self.0.read_history = SUBSCRIBERS;
        self
    }

    /// Subscribers that come back get what they have missed, whole and in order, or are told that they cannot
    /// (`force_recovery`). Needs [`history`](Self::history).
    pub fn recover(mut self) -> Self {
        self.0.force_recovery = true;
        self
    }

    /// A client that reads more slowly than is published is given the latest of each key, and told of the gap, instead of
    /// being let go (`delivery = "conflate"`); a key is the value of this tag (`conflate_by`), empty is one key for the channel.
    /// Needs [`history`](Self::history).
    pub fn conflate(mut self, by: &str) -> Self {
        self.0.delivery = DeliveryProfile::Conflate { by: (!by.is_empty()).then(|| by.into()) };
        self
    }

    /// A client that reads more slowly than is published is given the newest, and told of the gap, instead of being let go
    /// (`delivery = "drop_oldest"`). Needs [`history`](Self::history).
    pub fn drop_oldest(mut self) -> Self {
        self.0.delivery = DeliveryProfile::DropOldest;
        self
    }

    /// The hub knows who is there, and subscribers may ask (`presence`, `allow_presence_for_subscriber`).
    pub fn presence(mut self) -> Self {
        self.0.presence = true;
        self.0.see_presence = SUBSCRIBERS;
        self
    }

    /// Subscribers are told who comes and goes (`join_leave`, `force_push_join_leave`).
    pub fn join_leave(mut self) -> Self {
        self.0.join_leave = true;
        self.0.force_push_join_leave = true;
        self
    }

    /// A channel has at most so many subscribers on this node (`max_subscribers`); the next one is refused with error 106.
    pub fn max_subscribers(mut self, most: NonZeroU32) -> Self {
        self.0.subscribers_max = Some(most);
        self
    }

    /// Of a channel only the latest publication counts: who comes back gets that one, and is told what was passed over
    /// (`force_recovery_mode = "cache"`). For what the next one makes worthless, as a price. Needs
    /// [`history`](Self::history), of one publication at least, and [`recover`](Self::recover).
    pub fn latest_only(mut self) -> Self {
        self.0.force_recovery_mode = RecoveryMode::Cache;
        self
    }

    /// The same, and who comes for the first time gets the latest publication too (`auto_cache_recover`).
    pub fn latest_at_once(mut self) -> Self {
        self.0.auto_cache_recover = true;
        self.latest_only()
    }

    /// Clients may subscribe to publications with certain tags only (`allow_tags_filter`).
    pub fn tags_filter(mut self) -> Self {
        self.0.allow_tags_filter = true;
        self
    }

    /// Subscribers with a position may ask for deltas (`allowed_delta_types`). They are told so what is published with
    /// [`delta`](super::Publish::delta). Needs [`history`](Self::history), and a position, as [`recover`](Self::recover) gives.
    pub fn allow_deltas(mut self) -> Self {
        self.0.allow_delta = true;
        self
    }

    /// The same, and they are told so whatever is published (`delta_publish`).
    pub fn deltas(mut self) -> Self {
        self.0.delta_publish = true;
        self.allow_deltas()
    }

    /// What is wrong with it, if anything is.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        match &self.0.history {
            None if self.0.force_recovery => {
                Some("recover() needs history(size, ttl): it is what is recovered")
            }
            None if self.0.force_recovery_mode == RecoveryMode::Cache => {
                Some("latest_only() and latest_at_once() need history(size, ttl): it keeps the latest")
            }
            _ if self.0.force_recovery_mode == RecoveryMode::Cache && !self.0.force_recovery => {
                Some("latest_only() and latest_at_once() need recover(): they say what is recovered")
            }
            None if self.0.delivery != DeliveryProfile::Disconnect => Some(
                "conflate() and drop_oldest() need history(size, ttl): only offsets show what was left out",
            ),
            None if self.0.allow_delta => Some(
                "deltas() and allow_deltas() need history(size, ttl): a patch is made of a publication that is kept",
            ),
            _ if self.0.allow_delta && self.0.delivery != DeliveryProfile::Disconnect => Some(
                "deltas() and allow_deltas() cannot be had with conflate() or drop_oldest(): what is left out for a slow \
                 reader would be missing as the base of a patch",
            ),
            Some(history) if history.size == 0 || history.ttl.is_zero() => {
                Some("history(size, ttl) needs a size and a time above zero")
            }
            _ => None,
        }
    }

    pub(super) fn into_inner(self) -> namespace::Namespace {
        self.0
    }
}

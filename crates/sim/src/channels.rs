//! The channels of every run, and what their namespaces promise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use spanwire_hub::backend::{Deciders, ProxyId};
use spanwire_hub::broker::HistoryOptions;
use spanwire_hub::namespace::{DeliveryProfile, Namespace, Namespaces, Permission, RecoveryMode};

/// All channels. Each namespace has another set of promises.
pub(crate) const CHANNELS: [&str; 8] =
    ["kept:a", "kept:b", "chat:c", "tiny:d", "open:e", "last:g", "ticks:h", SERVED];

/// A channel to which the server subscribes people, and nobody subscribes by wish.
pub(crate) const SERVED: &str = "ours:f";

/// The backend decides who subscribes, and nothing else.
const DECIDERS: Deciders = Deciders { subscribe: Some(ProxyId(0)), publish: None, sub_refresh: None };

const ALL: Permission = Permission { client: true, subscriber: true, anonymous: true };

/// What whoever listens to a channel is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Only that nothing comes twice, and nothing out of order.
    Order,
    /// Everything that its history, of this size, has; and word of the rest.
    Whole(u64),
    /// The latest when it comes, and from there on everything.
    Latest,
    /// As [`Self::Whole`]; but whoever reads slowly may be told a gap instead, of what a later one of its key has replaced.
    Conflated(u64),
}

/// What is promised in a channel.
pub(crate) fn promise(channel: &str) -> Promise {
    match history(channel) {
        None => Promise::Order,
        Some(_) if is_latest(channel) => Promise::Latest,
        Some(history) if is_conflated(channel) => Promise::Conflated(history.size as u64),
        Some(history) => Promise::Whole(history.size as u64),
    }
}

fn is_conflated(channel: &str) -> bool {
    channel.starts_with("ticks:")
}

/// The tag whose value is the key of a conflated channel.
const KEY: &str = "of";
const KEYS: u64 = 3;

/// The key of what the backend publishes.
pub(crate) fn key_of(id: u64) -> u64 {
    id % KEYS
}

/// The tags of what the backend publishes. What people publish has none, and so the key of all that has none.
pub(crate) fn tags(channel: &str, id: u64) -> BTreeMap<String, String> {
    let tag = is_conflated(channel).then(|| (KEY.to_owned(), key_of(id).to_string()));
    tag.into_iter().collect()
}

fn is_latest(channel: &str) -> bool {
    channel.starts_with("last:")
}

/// Whether the backend is asked who may listen.
fn is_decided(channel: &str) -> bool {
    ["tiny:", "open:"].iter().any(|namespace| channel.starts_with(namespace))
}

/// Whether a channel has presence, and tells who comes and goes.
pub(crate) fn is_social(channel: &str) -> bool {
    channel.starts_with("chat:")
}

/// What the server keeps of a channel. Nothing is ever old enough to vanish in a run.
pub(crate) fn history(channel: &str) -> Option<HistoryOptions> {
    let size = match channel.split(':').next() {
        Some("kept" | "chat" | "last" | "ticks" | "ours") => 60,
        Some("tiny") => 3,
        _ => return None,
    };
    Some(HistoryOptions { size, ttl: Duration::from_secs(3600), meta_ttl: Duration::from_secs(7200) })
}

/// The configuration of the node.
pub(crate) fn namespaces() -> Namespaces {
    let named = CHANNELS.map(|channel| {
        let name = channel.split(':').next().unwrap_or_default();
        let history = history(channel);
        let namespace = Namespace {
            subscribe: ALL,
            publish: ALL,
            read_history: ALL,
            see_presence: ALL,
            presence: is_social(channel),
            join_leave: is_social(channel),
            force_push_join_leave: is_social(channel),
            force_recovery: history.is_some(),
            force_recovery_mode: if is_latest(channel) { RecoveryMode::Cache } else { RecoveryMode::Stream },
            auto_cache_recover: is_latest(channel),
            history,
            allow_delta: true,
            delta_publish: true,
            delivery: match is_conflated(channel) {
                true => DeliveryProfile::Conflate { by: Some(KEY.into()) },
                false => DeliveryProfile::Disconnect,
            },
            deciders: if is_decided(channel) { DECIDERS } else { Deciders::default() },
            ..Namespace::default()
        };
        (name.to_owned(), Arc::new(namespace))
    });
    Namespaces { without_namespace: Arc::default(), named: named.into_iter().collect(), personal: None }
}

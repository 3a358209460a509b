//! The metrics of tokens: what was prolonged, has expired or was revoked, and what came of it.

use std::collections::BTreeMap;

use spanwire_hub::{Expirable, Refreshed};

use super::EdgeCounters;
use super::shards::{merged, sum};
use super::text::{Kind, Text};
use crate::auth::{FetchCounts, Jwks, Revoked};
use crate::engine::EngineHandle;
use crate::engine::stats::ShardSnapshot;

/// What a scrape tells of tokens, besides what shards have counted.
#[derive(Clone, Debug)]
pub(super) struct TokenSnapshot {
    /// How many revocations of each kind are kept.
    revocations: [(Revoked, usize); 3],
    /// Where keys are published.
    publishers: Vec<Jwks>,
}

impl TokenSnapshot {
    /// What there is now.
    pub(super) fn of(engine: &EngineHandle, edge: &EdgeCounters) -> Self {
        Self { revocations: engine.revocations(), publishers: edge.publishers_of_keys() }
    }
}

impl Default for TokenSnapshot {
    fn default() -> Self {
        let revocations = [(Revoked::Token, 0), (Revoked::UserTokens, 0), (Revoked::User, 0)];
        Self { revocations, publishers: Vec::new() }
    }
}

pub(super) fn tokens(text: &mut Text, shards: &[ShardSnapshot], of: &TokenSnapshot) {
    expiry(text, shards);
    revocation(text, shards, of);
    published_keys(text, &of.publishers);
}

/// All of them from the beginning, with zeros: what an alert watches must not first appear when it should ring.
fn expiry(text: &mut Text, shards: &[ShardSnapshot]) {
    let (expired, refreshed) = (merged(shards, |s| &s.expired), merged(shards, |s| &s.refreshed));
    let both = [Expirable::Connection, Expirable::Subscription].map(Expirable::name);
    text.family(
        "spanwire_refreshes_total",
        Kind::Counter,
        "Tokens that clients have shown to prolong something, by what came of it; late is after it had expired.",
    );
    for what in both {
        for outcome in [Refreshed::InTime, Refreshed::Late, Refreshed::Refused].map(Refreshed::name) {
            let count = refreshed.get(&(what, outcome)).copied().unwrap_or_default();
            text.labelled(&[("what", &what), ("outcome", &outcome)], count);
        }
    }
    let expiring = merged(shards, |s| &s.expiring);
    text.family(
        "spanwire_expiring",
        Kind::Gauge,
        "What is past its expiry and lives by its delay (overdue), and what expires within the next minute (soon).",
    );
    for what in both {
        for state in ["overdue", "soon"] {
            text.labelled(
                &[("what", &what), ("state", &state)],
                expiring.get(&(what, state)).copied().unwrap_or_default(),
            );
        }
    }
    text.family("spanwire_expired_total", Kind::Counter, "What was ended because it had expired.");
    for what in both {
        text.labelled(&[("what", &what)], expired.get(what).copied().unwrap_or_default());
    }
}

fn revocation(text: &mut Text, shards: &[ShardSnapshot], of: &TokenSnapshot) {
    text.family("spanwire_revocations", Kind::Gauge, "Revocations that are kept, by what was revoked.");
    for (kind, count) in of.revocations {
        text.labelled(&[("kind", &kind.name())], count);
    }
    text.counters(
        "spanwire_revoked_refused_total",
        "Tokens and users refused because they were revoked, by what was revoked.",
        "kind",
        merged(shards, |s| &s.revoked_refused),
    );
    text.family(
        "spanwire_revoked_ended_total",
        Kind::Counter,
        "What was open by a token when it was revoked, and so was ended.",
    );
    text.labelled(&[("what", &"connection")], sum(shards, |s| s.revoked_connections));
    text.labelled(&[("what", &"subscription")], sum(shards, |s| s.revoked_subscriptions));
}

/// Publishers are few, and from the configuration alone. Two URLs that differ in what is not told of them are one here.
fn published_keys(text: &mut Text, publishers: &[Jwks]) {
    let mut places: BTreeMap<String, (u64, FetchCounts)> = BTreeMap::new();
    for place in publishers {
        let (fetched, counts) = place.fetches();
        let (latest, sum) = places.entry(place.name()).or_default();
        *latest = fetched.unwrap_or(0).max(*latest);
        *sum = FetchCounts { done: sum.done + counts.done, failed: sum.failed + counts.failed };
    }
    text.family(
        "spanwire_jwks_fetched_time_seconds",
        Kind::Gauge,
        "When keys of tokens were last fetched from a URL, in seconds since 1970; 0 is never.",
    );
    for (url, (fetched, _)) in &places {
        text.labelled(&[("url", url)], *fetched);
    }
    text.family(
        "spanwire_jwks_fetches_total",
        Kind::Counter,
        "Fetches of keys of tokens from a URL, by what came of them.",
    );
    for (url, (_, counts)) in &places {
        text.labelled(&[("url", url), ("outcome", &"done")], counts.done);
        text.labelled(&[("url", url), ("outcome", &"failed")], counts.failed);
    }
}

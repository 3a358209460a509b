//! What is counted, and how Prometheus reads it. Every name stands in a file of `metrics/`, with its sentence.
//!
//! Shards count for themselves and are summed when somebody asks; the counters here are those of the HTTP edge.

mod edge;
mod events;
mod gauge;
mod http;
mod proxies;
mod scrape;
mod sessions;
mod shards;
mod text;
mod tokens;
mod traffic;

pub use edge::EdgeCounters;
pub(crate) use gauge::Held;
pub(crate) use scrape::Scrape;

use crate::engine::EngineHandle;

/// Everything that is counted of an engine and its edge, as Prometheus reads it.
pub(crate) async fn of(engine: &EngineHandle, counters: &EdgeCounters) -> String {
    let census = engine.census().await.unwrap_or_default();
    Scrape::of(engine, counters, census).render()
}

//! What is counted, and how Prometheus reads it. Every name stands in `metrics/render.rs`, with its sentence.
//!
//! Shards count for themselves and are summed when somebody asks; the counters here are those of the HTTP edge.

mod edge;
mod events;
mod gauge;
mod proxies;
mod render;
mod text;
mod tokens;

pub use edge::EdgeCounters;
pub(crate) use gauge::Held;
pub use render::render;
pub use tokens::TokenSnapshot;

use crate::engine::EngineHandle;

/// Everything that is counted of an engine and its edge, as Prometheus reads it.
pub(crate) async fn of(engine: &EngineHandle, counters: &EdgeCounters) -> String {
    let census = engine.census().await.unwrap_or_default();
    let (proxies, tokens, events) = (engine.proxies(), TokenSnapshot::of(engine), engine.events());
    render(&engine.stats(), census, counters, &proxies, &tokens, events.as_ref())
}

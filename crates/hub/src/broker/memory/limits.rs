//! What a broker in memory may keep.

use std::time::Duration;

/// The named limits of a [`MemoryBroker`](super::MemoryBroker).
///
/// Nothing is refused at a limit of memory: what is oldest makes room. A recovery that would need what is gone is
/// refused, so the gap is told; and nobody can lock the others out by filling a table. What is in use is never
/// evicted: a channel with listeners keeps its place, paid for by subscriptions that have a limit of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Most streams (epoch and top offset) that are kept for channels without listeners. Each costs about 400 bytes.
    ///
    /// Whoever may subscribe can make streams by naming channels, so beyond this number the ones that nobody has
    /// published to go first, and only then the others: in each case the one that would be forgotten soonest anyway.
    /// Its next use begins a new epoch.
    pub idle_streams_max: usize,
    /// Most bytes of publications in all histories together, with the overhead of each.
    ///
    /// Beyond it the channel whose history would vanish soonest loses its oldest publications. A publication that
    /// is larger than this alone is delivered, but not kept; nor then is what came before it, for a history has no holes.
    pub history_bytes_max: usize,
    /// How long a publish with an idempotency key is remembered.
    pub idempotency_window: Duration,
    /// Most idempotency keys of one channel that are remembered; beyond it the oldest go.
    ///
    /// In a channel with more keyed publications per window than this, the window is that much shorter. Refusing
    /// instead would let one busy publisher silence the channel for everybody.
    pub idempotency_keys_per_channel_max: usize,
    /// Most bytes of idempotency keys in all channels together, with the overhead of each and of each channel that has
    /// any; beyond it the oldest go.
    pub idempotency_bytes_max: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            idle_streams_max: 1 << 17,
            history_bytes_max: 256 << 20,
            idempotency_window: Duration::from_secs(5 * 60),
            idempotency_keys_per_channel_max: 10_000,
            idempotency_bytes_max: 32 << 20,
        }
    }
}

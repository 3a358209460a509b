//! A number that one thread counts up and others may read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts up, written by one thread only: that is why a load and a store do, where an atomic addition would cost
/// the hot path twenty times as much.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

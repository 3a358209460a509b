//! How much of a soak has been done.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::table;

/// How much of a soak has been done, and how much is wanted. Shared by its loads.
pub(super) struct Counts {
    visits: AtomicU64,
    deliveries: AtomicU64,
    is_over: AtomicBool,
    visits_wanted: u64,
    deliveries_wanted: u64,
}

impl Counts {
    pub(super) fn wanted(visits: u64, deliveries: u64) -> Counts {
        Counts {
            visits: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            visits_wanted: visits,
            deliveries_wanted: deliveries,
        }
    }

    pub(super) fn visited(&self, count: u64) {
        self.visits.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn delivered(&self, count: u64) {
        self.deliveries.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn visits(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }

    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    pub(super) fn visits_wanted(&self) -> u64 {
        self.visits_wanted
    }

    /// The share that is done, of what is furthest behind.
    pub(super) fn share(&self) -> f64 {
        let visits = self.visits() as f64 / self.visits_wanted as f64;
        visits.min(self.deliveries() as f64 / self.deliveries_wanted as f64)
    }

    pub(super) fn are_enough(&self) -> bool {
        self.share() >= 1.0
    }

    /// Tells the loads to end.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether the loads are to end: they go on until all of them have done enough, so that none is ever alone.
    pub(super) fn are_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |value: u64| table::count(value as usize);
        write!(
            f,
            "{} of {} visits, {} of {} messages",
            count(self.visits()),
            count(self.visits_wanted),
            count(self.deliveries()),
            count(self.deliveries_wanted)
        )
    }
}

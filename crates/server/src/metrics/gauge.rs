//! A count of what is there now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what comes, and what goes again.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    come: AtomicU64,
    gone: AtomicU64,
}

/// One of what is counted. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Held(Arc<Gauge>);

impl Gauge {
    /// One comes.
    pub(crate) fn hold(self: &Arc<Self>) -> Held {
        self.come.fetch_add(1, Ordering::Relaxed);
        Held(self.clone())
    }

    /// How many are there.
    pub(super) fn now(&self) -> u64 {
        // What goes has come before: in this order the difference cannot be negative for long enough to be seen.
        let gone = self.gone.load(Ordering::Relaxed);
        self.total().saturating_sub(gone)
    }

    /// How many have ever come.
    pub(super) fn total(&self) -> u64 {
        self.come.load(Ordering::Relaxed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_gone_and_was_there() {
        let gauge = Arc::<Gauge>::default();
        let (first, second) = (gauge.hold(), gauge.hold());
        assert_eq!((gauge.now(), gauge.total()), (2, 2));
        drop((first, second));
        assert_eq!((gauge.now(), gauge.total()), (0, 2));
    }
}

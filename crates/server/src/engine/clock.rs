//! The clocks of a node, read twice in a turn at most and passed to everything that happens in it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use spanwire_hub::time::{self, Now};

/// Started with the engine; all shards measure from the same moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// As the hub wants it: in milliseconds.
    pub(super) now: Now,
    /// Microseconds since the clock started, for measuring what takes less than a millisecond.
    pub(super) micros: u64,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn read(&self) -> Reading {
        let (micros, unix_ms) = (self.micros(), SystemTime::now().duration_since(UNIX_EPOCH));
        Reading {
            now: Now {
                at: time::Instant::from_millis(micros / 1000),
                unix_ms: unix_ms.map_or(0, |since| whole(since.as_millis())),
            },
            micros,
        }
    }

    pub(super) fn micros(&self) -> u64 {
        whole(self.0.elapsed().as_micros())
    }

    /// When this clock will show `at`.
    pub(super) fn instant_of(&self, at: time::Instant) -> Instant {
        // A deadline too far away for the system's clock is one that never comes: a day will do as well.
        self.0
            .checked_add(Duration::from_millis(at.as_millis()))
            .unwrap_or(self.0 + Duration::from_secs(86_400))
    }
}

fn whole(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

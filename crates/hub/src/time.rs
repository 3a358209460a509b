//! Time, as the world tells it: the hub never reads a clock.

use std::ops::Add;
use std::time::Duration;

/// A point on the driver's monotonic clock, in milliseconds since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The point `millis` milliseconds after the driver's clock started.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the driver's clock started.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Now: one reading of both clocks, taken once per turn and passed to everything that happens in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: heartbeats, timeouts, history's age.
    pub at: Instant,
    /// The wall clock, in milliseconds since 1970: what tokens expire by, and nothing else.
    pub unix_ms: u64,
}

impl Now {
    /// The monotonic instant at which the wall clock will read `unix_seconds`, if it does not jump.
    pub fn instant_of(self, unix_seconds: u64) -> Instant {
        let ahead = unix_seconds.saturating_mul(1000).saturating_sub(self.unix_ms);
        self.at + Duration::from_millis(ahead)
    }

    /// The wall clock in whole seconds since 1970.
    pub fn unix_seconds(self) -> u64 {
        self.unix_ms / 1000
    }
}

//! When to try again.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use spanwire_wire::message::Error;

use crate::Limits;

/// What the server said of when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    /// It said this to us alone. It knows better than our backoff when it has time for us, and has spread those it sent
    /// away over time already.
    Us(Duration),
    /// It says the same number to everybody: all of them at that moment would be too many again.
    Everybody(Duration),
}

impl Told {
    /// What an error says in `sw_retry_after`: milliseconds, or zero for nothing.
    pub(crate) fn by(error: &Error) -> Self {
        Self::us(Duration::from_millis(error.sw_retry_after.into()))
    }

    /// A wait for us alone. None at all is nothing that was said, or we would be back in a loop.
    pub(crate) fn us(wait: Duration) -> Self {
        if wait.is_zero() { Self::Nothing } else { Self::Us(wait) }
    }
}

/// Counts failures, and says how long to wait after the next one.
///
/// Full jitter: each wait is drawn from the whole of a window that doubles, from the very first retry on. Ten thousand
/// clients that lose one server then come back as a drizzle, not as a wave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait, after something failed that had worked for `lived`. Only a long life forgives the failures
    /// before it, or a server that accepts and drops would be hammered.
    pub(crate) fn next(&mut self, lived: Duration, limits: &Limits, chance: &mut StdRng) -> Duration {
        if lived >= limits.steady {
            self.failures = 0;
        }
        let window = limits.retry_min.saturating_mul(1 << self.failures.min(30)).min(limits.retry_max);
        self.failures = self.failures.saturating_add(1);
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(chance.random_range(0..=millis))
    }

    /// The same, where the server may have told how long to stay away. It is believed up to [`Limits::retry_told_max`].
    pub(crate) fn told_or_next(
        &mut self,
        told: Told,
        lived: Duration,
        limits: &Limits,
        chance: &mut StdRng,
    ) -> Duration {
        match told {
            Told::Nothing => self.next(lived, limits, chance),
            Told::Us(wait) => wait.min(limits.retry_told_max),
            Told::Everybody(wait) => {
                wait.min(limits.retry_told_max).saturating_add(self.next(lived, limits, chance))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// The longest of many waits after a number of failures.
    fn longest_after(failures: u32) -> u64 {
        let (limits, mut chance) = (Limits::default(), StdRng::seed_from_u64(1));
        let waits = (0..2000).map(|_| Backoff { failures }.next(Duration::ZERO, &limits, &mut chance));
        u64::try_from(waits.max().unwrap().as_millis()).unwrap()
    }

    #[test]
    fn the_window_doubles_from_300_milliseconds_to_20_seconds_and_is_used_whole() {
        for (failures, window) in
            [(0, 300), (1, 600), (2, 1200), (6, 19_200), (7, 20_000), (u32::MAX, 20_000)]
        {
            let longest = longest_after(failures);
            assert!(longest <= window && longest > window * 9 / 10, "{failures} failures: {longest}");
        }
    }

    #[test]
    fn only_a_long_life_forgives_failures() {
        let (limits, mut chance) = (Limits::default(), StdRng::seed_from_u64(1));
        let mut backoff = Backoff { failures: 5 };
        backoff.next(Duration::from_millis(9_999), &limits, &mut chance);
        assert_eq!(backoff.failures, 6);
        backoff.next(Duration::from_secs(10), &limits, &mut chance);
        assert_eq!(backoff.failures, 1);
    }
}

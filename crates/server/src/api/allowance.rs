//! How much the holder of a key may ask for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// Lets so many commands through in a second; what was not used is there for the next burst, for one second's worth.
///
/// How many commands a call is, is known when it has been read. So it is let in if those before it are paid for, and
/// pays afterwards: a call of any size passes at some time, and who sends large ones waits longer for the next.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// 0 is no limit.
    per_second: u32,
    /// Until when what was asked for takes, at this rate.
    paid_until: Mutex<Option<Instant>>,
}

impl Allowance {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, paid_until: Mutex::new(None) }
    }

    /// Whether a call may come in, or how long it has to wait.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let paid_until = *self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = paid_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if ahead < SECOND { Ok(()) } else { Err(ahead.saturating_sub(SECOND)) }
    }

    /// Takes the price of a call that came in.
    pub(super) fn charge(&self, now: Instant, commands: usize) {
        if self.per_second == 0 {
            return;
        }
        let commands = u32::try_from(commands).unwrap_or(u32::MAX);
        let price = SECOND.saturating_mul(commands) / self.per_second;
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paid_until = Some(paid_until.map_or(now, |until| until.max(now)) + price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many calls of this size come in at this time.
    fn come_in(allowance: &Allowance, now: Instant, size: usize) -> usize {
        let calls = (0..1_000).take_while(|_| allowance.admit(now).is_ok());
        calls.inspect(|_| allowance.charge(now, size)).count()
    }

    #[test]
    fn a_burst_of_one_second_comes_in_and_then_the_rate() {
        let (allowance, start) = (Allowance::new(10), Instant::now());
        assert_eq!(come_in(&allowance, start, 1), 10);
        assert_eq!(come_in(&allowance, start + SECOND / 2, 1), 5);
        assert_eq!(come_in(&allowance, start + 60 * SECOND, 1), 10, "no more than one second is saved up");
        assert_eq!(come_in(&Allowance::new(0), start, 1), 1_000);
    }

    #[test]
    fn a_large_call_comes_in_at_once_and_the_next_one_when_it_is_paid_for() {
        let (allowance, start) = (Allowance::new(10), Instant::now());
        assert_eq!(come_in(&allowance, start, 50), 1);
        assert_eq!(allowance.admit(start), Err(4 * SECOND));
        assert_eq!(allowance.admit(start + 3 * SECOND), Err(SECOND));
        assert_eq!(come_in(&allowance, start + 5 * SECOND, 1), 10);
    }
}

//! When a host's certificate is ordered.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long to wait after the first failure; each further one doubles it. Let's Encrypt allows five failures of a
/// host in an hour, and this is five.
const PAUSE_FIRST: Duration = Duration::from_secs(120);

/// How long to wait at most.
const PAUSE_MAX: Duration = Duration::from_secs(4 * 3600);

/// What has become of the orders for one host.
#[derive(Debug)]
pub(super) struct Schedule {
    /// From 0 to 1, so that hosts which began together do not renew together.
    share: f64,
    failures: u32,
    /// No order before this.
    paused_until: SystemTime,
}

impl Schedule {
    /// Nothing was ordered yet.
    pub(super) fn new(share: f64) -> Self {
        Self { share, failures: 0, paused_until: UNIX_EPOCH }
    }

    /// When to order: at once if there is no certificate, else when a third of its time is left, or up to a twentieth
    /// of its time earlier.
    pub(super) fn due(&self, validity: Option<&Range<SystemTime>>) -> SystemTime {
        let wanted = validity.map_or(UNIX_EPOCH, |validity| {
            let lifetime = validity.end.duration_since(validity.start).unwrap_or_default();
            validity.end - lifetime / 3 - (lifetime / 20).mul_f64(self.share)
        });
        wanted.max(self.paused_until)
    }

    /// An order has brought a certificate.
    pub(super) fn succeeded(&mut self, now: SystemTime) {
        self.failures = 0;
        // One that is good for seconds does not make us order without end.
        self.paused_until = now + PAUSE_FIRST;
    }

    /// An order has come to nothing. Returns how long to wait: up to half as long again as the others, by chance.
    pub(super) fn failed(&mut self, now: SystemTime, share: f64) -> Duration {
        let pause = PAUSE_FIRST.saturating_mul(1 << self.failures.min(16)).min(PAUSE_MAX);
        let pause = pause + (pause / 2).mul_f64(share);
        self.failures += 1;
        self.paused_until = now + pause;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_certificate_is_ordered_at_once_or_when_a_third_of_its_time_is_left() {
        let now = UNIX_EPOCH + 10_000 * DAY;
        let validity = now..now + 90 * DAY;
        assert_eq!(Schedule::new(0.0).due(None), UNIX_EPOCH);
        assert_eq!(Schedule::new(0.0).due(Some(&validity)), now + 60 * DAY);
        assert_eq!(Schedule::new(1.0).due(Some(&validity)), now + 60 * DAY - 90 * DAY / 20);
        let mut renewed = Schedule::new(0.0);
        renewed.succeeded(now);
        assert_eq!(renewed.due(Some(&(now..now))), now + PAUSE_FIRST);
    }

    #[test]
    fn failures_are_followed_by_longer_and_longer_pauses_until_one_order_succeeds() {
        let (mut schedule, now) = (Schedule::new(0.0), UNIX_EPOCH + 10_000 * DAY);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            pauses.push(schedule.failed(now, 0.0));
            assert_eq!(schedule.due(None), now + *pauses.last().unwrap());
        }
        assert!(pauses.is_sorted() && pauses[0] == PAUSE_FIRST && pauses[39] == PAUSE_MAX);
        assert!(pauses[..5].iter().sum::<Duration>() > Duration::from_secs(3600));
        assert_eq!(schedule.failed(now, 1.0), PAUSE_MAX * 3 / 2);
        schedule.succeeded(now);
        assert_eq!(schedule.failed(now, 0.0), PAUSE_FIRST);
    }
}

//! How often something may happen: token buckets of eight bytes.
//!
//! A bucket is kept as the moment at which it will be full again (a leaky bucket as one time stamp), so that an idle one
//! needs no timer and no thought. Time is passed in.

use std::time::Duration;

use crate::time::Instant;

/// What a refused attempt costs, as a part of one that is let through: refusing is cheap, and not free.
const REFUSED_PART: u64 = 4;

/// So many a second, and how much of that may be saved up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// 0 is no limit.
    per_second: u32,
    /// How much time's worth may be used at once, in milliseconds.
    window_ms: u32,
}

impl Rate {
    /// No limit at all.
    pub const NONE: Self = Self { per_second: 0, window_ms: 0 };

    /// At most `per_second` on the long run (0 is any number), and at once what `window` of time comes to.
    pub fn new(per_second: u32, window: Duration) -> Self {
        // One at least must fit in.
        let window = window.max(Duration::from_secs(1) / per_second.max(1));
        let window_ms = u32::try_from(window.as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        Self { per_second, window_ms }
    }

    /// Whether anything is limited.
    pub fn is_limited(self) -> bool {
        self.per_second > 0
    }

    /// How much time's worth may be used at once.
    pub fn window(self) -> Duration {
        Duration::from_millis(self.window_ms.into())
    }

    /// In how much time that is paid back, in microseconds.
    fn micros(self, cost: u64) -> u64 {
        cost.saturating_mul(1_000_000).div_ceil(u64::from(self.per_second.max(1)))
    }
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is let through.
    Within,
    /// It is not; after this time another one would be.
    Over(Duration),
    /// It is not, and whoever makes it has gone on for another whole window's worth although it was told so.
    Obstinate,
}

/// What was used of one rate. The default has used nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When all of it will have been paid back, in microseconds of the driver's clock.
    clear_at: u64,
}

impl Bucket {
    /// Takes `cost` out of the bucket if anything is left in it: what is larger than the bucket passes when it is full,
    /// and is paid back afterwards.
    pub fn take(&mut self, now: Instant, rate: Rate, cost: u64) -> Verdict {
        if !rate.is_limited() {
            return Verdict::Within;
        }
        let now = micros(now);
        let (window, debt) = (u64::from(rate.window_ms) * 1000, self.clear_at.saturating_sub(now));
        let cost = rate.micros(cost);
        let (verdict, owed) = if debt < window {
            // However large it is, what follows it waits half a window at most, and is not obstinate.
            (Verdict::Within, debt.saturating_add(cost).min(window + window / 2))
        } else if debt < 2 * window {
            let owed = debt + (cost / REFUSED_PART).min(window);
            (Verdict::Over(Duration::from_millis((owed - window) / 1000 + 1)), owed)
        } else {
            (Verdict::Obstinate, debt)
        };
        self.clear_at = now.saturating_add(owed);
        verdict
    }

    /// After what time an attempt would be let through; `None` if it would be now. Nothing is taken.
    pub fn wait(self, now: Instant, rate: Rate) -> Option<Duration> {
        let debt = self.clear_at.saturating_sub(micros(now));
        let over = debt.checked_sub(u64::from(rate.window_ms) * 1000).filter(|_| rate.is_limited())?;
        Some(Duration::from_millis(over / 1000 + 1))
    }

    /// Whether nothing is owed any more, so that the bucket need not be kept.
    pub fn is_full(self, now: Instant) -> bool {
        self.clear_at <= micros(now)
    }
}

fn micros(at: Instant) -> u64 {
    at.as_millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Instant = Instant::from_millis(123_456_789_012);

    fn passed(bucket: &mut Bucket, now: Instant, rate: Rate, attempts: usize) -> usize {
        (0..attempts).take_while(|_| bucket.take(now, rate, 1) == Verdict::Within).count()
    }

    #[test]
    fn a_window_passes_at_once_and_then_the_rate() {
        let rate = Rate::new(100, Duration::from_secs(5));
        let mut bucket = Bucket::default();
        assert_eq!(passed(&mut bucket, START, rate, 1000), 500);
        assert_eq!(passed(&mut bucket, START + Duration::from_secs(2), rate, 1000), 200);
        assert_eq!(
            passed(&mut bucket, START + Duration::from_secs(9999), rate, 1000),
            500,
            "no more is saved up"
        );
        assert_eq!(passed(&mut Bucket::default(), START, Rate::NONE, 100_000), 100_000);
    }

    #[test]
    fn who_is_told_to_wait_passes_after_that_and_not_much_before() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let mut bucket = Bucket::default();
        passed(&mut bucket, START, rate, 10);
        let Verdict::Over(wait) = bucket.take(START, rate, 1) else { panic!("it is empty") };
        assert_eq!(wait, Duration::from_millis(26), "the refusal itself is paid for too");
        let mut early = bucket;
        assert!(matches!(early.take(START + wait / 2, rate, 1), Verdict::Over(_)));
        assert_eq!(bucket.take(START + wait, rate, 1), Verdict::Within);
    }

    #[test]
    fn to_ask_for_the_wait_takes_nothing() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let mut bucket = Bucket::default();
        assert_eq!(bucket.wait(START, rate), None);
        passed(&mut bucket, START, rate, 10);
        let wait = bucket.wait(START, rate).expect("it is empty");
        assert_eq!(bucket.wait(START, rate), Some(wait));
        assert_eq!(bucket.take(START + wait, rate, 1), Verdict::Within);
        assert_eq!(bucket.wait(START, Rate::NONE), None);
    }

    #[test]
    fn only_who_goes_on_at_several_times_the_rate_is_obstinate() {
        let rate = Rate::new(100, Duration::from_secs(5));
        let obstinate = |per_second: u64| {
            let mut bucket = Bucket::default();
            (0..60 * per_second).any(|number| {
                let now = START + Duration::from_millis(number * 1000 / per_second);
                bucket.take(now, rate, 1) == Verdict::Obstinate
            })
        };
        assert!(!obstinate(100) && !obstinate(200) && !obstinate(350));
        assert!(obstinate(800) && obstinate(10_000));
    }

    #[test]
    fn something_larger_than_the_bucket_passes_when_it_is_full() {
        let rate = Rate::new(1000, Duration::from_secs(1));
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(START, rate, 1500), Verdict::Within);
        assert!(!bucket.is_full(START) && Bucket::default().is_full(START));
        assert!(matches!(bucket.take(START + Duration::from_millis(400), rate, 1), Verdict::Over(_)));
        let later = START + Duration::from_millis(600);
        assert_eq!(bucket.take(later, rate, 1_000_000), Verdict::Within);
        assert!(
            matches!(bucket.take(later, rate, 1), Verdict::Over(_)),
            "and is not held against what follows"
        );
        assert_eq!(bucket.take(later + Duration::from_millis(501), rate, 1), Verdict::Within);
    }

    proptest! {
        /// The oracle counts what passed in every window of the past, in plain numbers.
        #[test]
        fn no_stretch_of_time_sees_more_than_its_share(
            per_second in 1u32..5000,
            window_ms in 100u64..10_000,
            begin in 0u64..u64::MAX / 4000,
            attempts in proptest::collection::vec((0u64..500, 0u64..100), 1..300),
        ) {
            let rate = Rate::new(per_second, Duration::from_millis(window_ms));
            let (mut bucket, mut now) = (Bucket::default(), begin);
            let mut passed: Vec<(u64, u64)> = Vec::new();
            let most = (u64::from(per_second) * window_ms / 2000).max(1);
            for (pause, size) in attempts {
                now += pause;
                let cost = 1 + (most - 1) * size / 100;
                if bucket.take(Instant::from_millis(now), rate, cost) == Verdict::Within {
                    passed.push((now, cost));
                }
                let mut sum = 0;
                for (at, cost) in passed.iter().rev() {
                    let last = passed.last().map_or(0, |last| last.1);
                    sum += cost;
                    // One attempt may pass with the last drop, and time is counted in whole milliseconds.
                    let share = (now - at + window_ms + 1) * u64::from(per_second) / 1000;
                    prop_assert!(sum <= share + 1 + last, "{sum} of {share}");
                }
            }
        }

        /// Who keeps to the rate is never refused, whenever it begins and however long it pauses.
        #[test]
        fn who_keeps_to_the_rate_is_never_refused(
            per_second in 1u32..1000,
            begin in 0u64..u64::MAX / 4000,
            pauses in proptest::collection::vec(prop_oneof![Just(0u64), 0u64..1_000_000_000], 1..200),
        ) {
            let rate = Rate::new(per_second, Duration::from_secs(1));
            let (mut bucket, mut now) = (Bucket::default(), begin);
            for pause in pauses {
                now += 1000u64.div_ceil(per_second.into()) + pause;
                let at = Instant::from_millis(now);
                let verdict = bucket.take(at, rate, 1);
                prop_assert_eq!(verdict, Verdict::Within);
            }
        }
    }
}

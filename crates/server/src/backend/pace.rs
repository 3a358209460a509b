//! How much a backend is asked at once: as much as it answers as fast as it can, found out by trying.

use std::time::{Duration, Instant};

/// What may be under way at first, and after the backend was away: those who were waiting for it must not fall on it
/// all at once.
const LIMIT_FIRST: f64 = 4.0;
/// What may be under way however slow the backend is: without a question there is no answer to learn from.
const LIMIT_LEAST: f64 = 1.0;
/// An answer that takes more than this many times the quickest of late has stood in a queue.
const SLOW: u32 = 2;
/// So much is nobody's queue, but the scheduler's and the network's.
const SLACK: Duration = Duration::from_millis(10);
/// What a slow round leaves of the limit.
const AFTER_SLOW: f64 = 0.8;
/// What a round with a failure leaves of the limit.
const AFTER_FAILURE: f64 = 0.5;
/// The quickest answer is looked for in the last one to two of these: a backend that has become slower for good is
/// measured anew.
const MEMORY: Duration = Duration::from_secs(10);
/// What an answer is thought to take before there was one.
const GUESS: Duration = Duration::from_millis(100);

/// The limit of what is under way, and what it has learnt from. Time is passed in.
///
/// It doubles with every round of answers until one is slow or missing, then creeps up by one a round and is cut by
/// slow rounds: additive increase, multiplicative decrease, as TCP shares a line with strangers.
#[derive(Debug)]
pub(super) struct Pace {
    limit: f64,
    limit_most: f64,
    /// It has not met its bound yet.
    starting: bool,
    /// Answers to what was asked before then tell of a limit that is not any more.
    cut_at: Option<Instant>,
    quickest: Quickest,
    /// What an answer takes, smoothed.
    takes: Duration,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        // The cast is exact for every limit that can be configured.
        let limit_most = most.max(1) as f64;
        Self {
            limit: LIMIT_FIRST.min(limit_most),
            limit_most,
            starting: true,
            cut_at: None,
            quickest: Quickest::default(),
            takes: GUESS,
        }
    }

    /// How much may be under way.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// How many answers a second the backend gives when it is kept busy.
    pub(super) fn rate(&self) -> f64 {
        self.limit.floor() / self.takes.as_secs_f64().max(0.000_1)
    }

    /// Whether it has not met its bound yet, so that the rate will rise.
    pub(super) fn is_starting(&self) -> bool {
        self.starting && self.limit < self.limit_most
    }

    /// It answered. `busy` says whether the limit was made use of: one that nobody has tried says nothing.
    pub(super) fn answered(&mut self, begun: Instant, now: Instant, busy: bool) {
        let took = now.saturating_duration_since(begun);
        self.smooth(took);
        let normal = self.quickest.see(now, took) * SLOW + SLACK;
        if took > normal {
            self.cut(begun, now, AFTER_SLOW);
        } else if busy {
            let step = if self.starting { 1.0 } else { 1.0 / self.limit };
            self.limit = (self.limit + step).min(self.limit_most);
        }
    }

    /// It did not answer, or could not.
    pub(super) fn failed(&mut self, begun: Instant, now: Instant) {
        self.smooth(now.saturating_duration_since(begun));
        self.cut(begun, now, AFTER_FAILURE);
    }

    /// It is back after it was away, and may have forgotten all it had warmed up.
    pub(super) fn restart(&mut self) {
        self.limit = LIMIT_FIRST.min(self.limit_most);
        self.starting = true;
        self.takes = GUESS;
    }

    /// Cuts the limit, once for each round.
    fn cut(&mut self, begun: Instant, now: Instant, left: f64) {
        if self.cut_at.is_some_and(|at| begun < at) {
            return;
        }
        self.limit = (self.limit * left).max(LIMIT_LEAST);
        self.starting = false;
        self.cut_at = Some(now);
    }

    fn smooth(&mut self, took: Duration) {
        self.takes = (self.takes * 7 + took) / 8;
    }
}

/// The quickest answer of late: the lesser of what two stretches of time have seen, the later of which is not over.
#[derive(Debug, Default)]
struct Quickest {
    before: Option<Duration>,
    lately: Option<Duration>,
    since: Option<Instant>,
}

impl Quickest {
    fn see(&mut self, now: Instant, took: Duration) -> Duration {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= MEMORY {
            self.before = self.lately.take();
            self.since = Some(now);
        }
        let lately = self.lately.map_or(took, |least| least.min(took));
        self.lately = Some(lately);
        self.before.map_or(lately, |least| least.min(lately))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// A backend that answers one round after another: as many as may be, each taking what `takes` says of how many
    /// there are.
    fn play(
        pace: &mut Pace,
        from: Instant,
        length: Duration,
        takes: impl Fn(usize) -> Option<Duration>,
    ) -> Instant {
        let mut now = from;
        while now < from + length {
            let (begun, many) = (now, pace.limit());
            now += takes(many).unwrap_or(1000 * MILLI);
            for _ in 0..many {
                match takes(many) {
                    Some(_) => pace.answered(begun, now, true),
                    None => pace.failed(begun, now),
                }
            }
        }
        now
    }

    #[test]
    fn a_backend_that_answers_is_soon_asked_as_much_as_is_allowed_and_never_more() {
        let (mut pace, dawn) = (Pace::new(64), Instant::now());
        assert_eq!(pace.limit(), 4);
        play(&mut pace, dawn, 50 * 5 * MILLI, |_| Some(50 * MILLI));
        assert_eq!(pace.limit(), 64);
        assert!((1000.0..1400.0).contains(&pace.rate()), "64 in 50 ms: {}", pace.rate());
    }

    #[test]
    fn answers_to_one_question_at_a_time_say_nothing_about_many() {
        let (mut pace, dawn) = (Pace::new(64), Instant::now());
        (0..1000).for_each(|_| pace.answered(dawn, dawn + MILLI, false));
        assert_eq!(pace.limit(), 4);
    }

    #[test]
    fn a_backend_that_queues_is_asked_about_as_much_as_it_does_at_once() {
        let (mut pace, dawn) = (Pace::new(1000), Instant::now());
        // Twenty at a time; whoever comes on top waits its turn.
        let takes = |many: usize| Some(50 * MILLI * u32::try_from(many.div_ceil(20)).unwrap());
        play(&mut pace, dawn, 8000 * MILLI, takes);
        assert!((15..=80).contains(&pace.limit()), "{}", pace.limit());
    }

    #[test]
    fn a_backend_that_becomes_slow_is_asked_less_and_more_again_when_it_recovers() {
        let (mut pace, dawn) = (Pace::new(20), Instant::now());
        let now = play(&mut pace, dawn, 3000 * MILLI, |_| Some(50 * MILLI));
        let now = play(&mut pace, now, 6000 * MILLI, |_| Some(2000 * MILLI));
        assert!(pace.limit() < 15 && pace.rate() < 10.0, "{} {}", pace.limit(), pace.rate());
        play(&mut pace, now, 3000 * MILLI, |_| Some(50 * MILLI));
        assert!(pace.limit() == 20 && pace.rate() > 300.0, "{} {}", pace.limit(), pace.rate());
    }

    #[test]
    fn a_backend_that_has_become_slower_for_good_is_measured_anew() {
        let (mut pace, dawn) = (Pace::new(20), Instant::now());
        let now = play(&mut pace, dawn, 3000 * MILLI, |_| Some(50 * MILLI));
        play(&mut pace, now, 300_000 * MILLI, |_| Some(500 * MILLI));
        assert_eq!(pace.limit(), 20);
    }

    #[test]
    fn one_round_that_fails_halves_the_limit_once_and_one_question_always_remains() {
        let (mut pace, dawn) = (Pace::new(64), Instant::now());
        let now = play(&mut pace, dawn, 1000 * MILLI, |_| Some(50 * MILLI));
        let now = play(&mut pace, now, 1000 * MILLI, |_| None);
        assert_eq!(pace.limit(), 32);
        play(&mut pace, now, 60_000 * MILLI, |_| None);
        assert_eq!(pace.limit(), 1);
    }
}

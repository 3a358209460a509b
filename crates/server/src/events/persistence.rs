//! Persistence: when a request that was not taken is sent again, and how much of it.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

/// The first wait is up to so long.
const WAIT_FIRST: Duration = Duration::from_millis(200);
/// So often one event by itself may be refused before it is given up.
const REFUSALS_MAX: u32 = 3;

/// How the last tries went. Chance is passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Persistence {
    wait_max: Duration,
    /// Tries one after the other that came to nothing.
    failures: u32,
    /// Refusals one after the other of one event by itself.
    refusals: u32,
    /// Most events of the next request.
    size: usize,
    size_max: usize,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint has it.
    Taken,
    /// The endpoint says that it cannot take this, ever.
    Refused,
    /// There was no answer, or one that says nothing about the request.
    Unwell {
        /// For how long the endpoint wishes to be left alone, if it said so.
        wish: Option<Duration>,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Go on with what follows.
    GoOn,
    /// Try again behind this wait.
    Again(Duration),
    /// Leave out what was refused, and go on behind this wait.
    GiveUp(Duration),
}

impl Persistence {
    pub(super) fn new(size_max: usize, wait_max: Duration) -> Self {
        Self { wait_max, failures: 0, refusals: 0, size: size_max, size_max }
    }

    /// Most events of the next request.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the last request was taken.
    pub(super) fn is_well(&self) -> bool {
        self.failures == 0
    }

    /// A request of so many events has come to this.
    ///
    /// One that is refused is sent again in halves, so that what comes to be given up is the one event that cannot be taken,
    /// and not its neighbours.
    pub(super) fn outcome(&mut self, events: usize, outcome: Outcome, chance: &mut StdRng) -> Next {
        let mut wish = None;
        match outcome {
            Outcome::Taken => {
                let size = (self.size * 2).min(self.size_max);
                *self = Self { failures: 0, refusals: 0, size, ..*self };
                return Next::GoOn;
            }
            Outcome::Unwell { wish: told } => {
                self.failures = self.failures.saturating_add(1);
                wish = told;
            }
            Outcome::Refused if events > 1 => {
                self.failures = self.failures.saturating_add(1);
                self.size = (events / 2).max(1);
            }
            Outcome::Refused => {
                self.failures = self.failures.saturating_add(1);
                self.refusals += 1;
            }
        }
        // Nobody may have us wait for longer than the operator would: the queue fills meanwhile.
        let wait = self.wait(chance).max(wish.unwrap_or_default().min(self.wait_max));
        if self.refusals < REFUSALS_MAX {
            return Next::Again(wait);
        }
        self.refusals = 0;
        Next::GiveUp(wait)
    }

    /// Up to twice as long as before, and anything below that: nodes that lost the endpoint at the same moment do not come
    /// back to it at the same moment.
    fn wait(&self, chance: &mut StdRng) -> Duration {
        let doublings = (self.failures - 1).min(16);
        let most = (WAIT_FIRST * (1 << doublings)).min(self.wait_max);
        most.mul_f64(chance.random_range(0.0..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const UNWELL: Outcome = Outcome::Unwell { wish: None };

    fn persistence() -> (Persistence, StdRng) {
        (Persistence::new(8, Duration::from_secs(20)), StdRng::seed_from_u64(3))
    }

    #[test]
    fn waits_grow_up_to_a_limit_and_spread_over_all_of_it() {
        let (mut persistence, mut chance) = persistence();
        let mut longest = Duration::ZERO;
        for try_number in 0..200 {
            let Next::Again(wait) = persistence.outcome(8, UNWELL, &mut chance) else {
                panic!("nothing is given up for want of an answer")
            };
            let most = WAIT_FIRST * (1 << try_number.min(7));
            assert!(wait <= most.min(Duration::from_secs(20)), "{wait:?} at {try_number}");
            longest = longest.max(wait);
        }
        assert!(longest > Duration::from_secs(15), "{longest:?}");
        assert_eq!(persistence.size(), 8, "whoever is unwell may have all of it later");
        assert_eq!(persistence.outcome(8, Outcome::Taken, &mut chance), Next::GoOn);
        assert!(persistence.is_well());
        let Next::Again(wait) = persistence.outcome(8, UNWELL, &mut chance) else { panic!() };
        assert!(wait <= WAIT_FIRST);
    }

    #[test]
    fn an_endpoint_is_left_alone_for_as_long_as_it_wishes_but_no_longer_than_is_allowed() {
        let (mut persistence, mut chance) = persistence();
        for (wish, least) in [(7, 7), (3_600, 20)] {
            let wish = Some(Duration::from_secs(wish));
            let next = persistence.outcome(8, Outcome::Unwell { wish }, &mut chance);
            assert_eq!(next, Next::Again(Duration::from_secs(least)));
        }
        let wish = Some(Duration::ZERO);
        let mut waits = (0..20).map(|_| persistence.outcome(8, Outcome::Unwell { wish }, &mut chance));
        let is_long = |next| matches!(next, Next::Again(wait) if wait > Duration::from_secs(1));
        assert!(waits.any(is_long), "a wish is no leave to hurry");
    }

    #[test]
    fn a_refused_request_shrinks_to_the_one_event_and_only_that_is_given_up() {
        let (mut persistence, mut chance) = persistence();
        for (events, left) in [(8, 4), (4, 2), (2, 1)] {
            let next = persistence.outcome(events, Outcome::Refused, &mut chance);
            assert!(matches!(next, Next::Again(_)), "{next:?}");
            assert_eq!(persistence.size(), left);
        }
        for _ in 1..REFUSALS_MAX {
            assert!(matches!(persistence.outcome(1, Outcome::Refused, &mut chance), Next::Again(_)));
        }
        assert!(matches!(persistence.outcome(1, Outcome::Refused, &mut chance), Next::GiveUp(_)));
        for size in [2, 4, 8, 8] {
            assert_eq!(persistence.outcome(1, Outcome::Taken, &mut chance), Next::GoOn);
            assert_eq!(persistence.size(), size);
        }
    }
}

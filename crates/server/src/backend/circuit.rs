//! Whether a backend is there at all: a circuit that opens when it fails, so that nobody waits for it in vain.

use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;

/// So many failures one after the other open the circuit.
const FAILURES: u32 = 5;
/// How long it is open the first time.
const OPEN_FIRST: Duration = Duration::from_secs(1);
/// How long it is open at most: this much later than the backend we are back.
const OPEN_MOST: Duration = Duration::from_secs(15);

/// A circuit. Time and chance are passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Circuit {
    /// Questions pass. So many failed one after the other.
    Closed {
        /// Since the last that did not.
        failures: u32,
    },
    /// None passes before this time.
    Open {
        /// When one may.
        until: Instant,
        /// How long it was open in all.
        wait: Duration,
    },
    /// One question is on its way, and decides.
    Probing {
        /// How long it had been open.
        wait: Duration,
    },
}

/// What the circuit became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It opened, and had been closed.
    Opened,
    /// It closed, and had been open.
    Closed,
}

impl Circuit {
    pub(super) const fn new() -> Self {
        Self::Closed { failures: 0 }
    }

    /// Whether a question may pass now; if not, when to try again. One that may is expected to be answered or to fail.
    pub(super) fn pass(&mut self, now: Instant) -> Result<(), Duration> {
        match *self {
            Self::Closed { .. } => Ok(()),
            Self::Open { until, .. } if now < until => Err(until - now),
            Self::Open { wait, .. } => {
                *self = Self::Probing { wait };
                Ok(())
            }
            Self::Probing { wait } => Err(wait.min(OPEN_FIRST)),
        }
    }

    /// Until when no question passes at all.
    pub(super) fn open_until(&self) -> Option<Instant> {
        match self {
            Self::Open { until, .. } => Some(*until),
            _ => None,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    pub(super) fn answered(&mut self) -> Option<Change> {
        let change = (!self.is_closed()).then_some(Change::Closed);
        *self = Self::new();
        change
    }

    pub(super) fn failed(&mut self, now: Instant, chance: &mut StdRng) -> Option<Change> {
        let (wait, change) = match *self {
            Self::Closed { failures } if failures + 1 < FAILURES => {
                *self = Self::Closed { failures: failures + 1 };
                return None;
            }
            Self::Closed { .. } => (OPEN_FIRST, Some(Change::Opened)),
            Self::Probing { wait } => ((wait * 2).min(OPEN_MOST), None),
            // One that was on its way when it opened.
            Self::Open { .. } => return None,
        };
        // Nodes that lost the backend at the same moment do not come back to it at the same moment.
        let until = now + wait.mul_f64(chance.random_range(0.75..=1.0));
        *self = Self::Open { until, wait };
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn it_opens_after_failures_in_a_row_and_one_answer_forgives_them() {
        let (mut circuit, now, mut chance) = (Circuit::new(), Instant::now(), StdRng::seed_from_u64(1));
        for _ in 0..3 {
            for _ in 1..FAILURES {
                assert_eq!(circuit.failed(now, &mut chance), None);
            }
            assert_eq!(circuit.answered(), None);
        }
        for _ in 1..FAILURES {
            circuit.failed(now, &mut chance);
        }
        assert_eq!(circuit.failed(now, &mut chance), Some(Change::Opened));
        assert!(circuit.pass(now).is_err());
        assert_eq!(circuit.failed(now, &mut chance), None, "the others that were on their way");
    }

    #[test]
    fn one_probe_at_a_time_finds_out_whether_the_backend_is_back() {
        let (mut circuit, dawn, mut chance) = (Circuit::new(), Instant::now(), StdRng::seed_from_u64(1));
        for _ in 0..FAILURES {
            circuit.failed(dawn, &mut chance);
        }
        let mut now = dawn;
        for least in [750, 1500, 3000, 6000, 11_250, 11_250] {
            let wait = circuit.pass(now).expect_err("it is open");
            assert!(wait >= Duration::from_millis(least), "{wait:?} of {least} ms");
            assert!(wait <= OPEN_MOST);
            now += wait;
            assert_eq!(circuit.pass(now), Ok(()), "the probe");
            assert!(circuit.pass(now).is_err(), "and nobody else");
            assert_eq!(circuit.failed(now, &mut chance), None);
        }
        now += OPEN_MOST;
        assert_eq!(circuit.pass(now), Ok(()));
        assert_eq!(circuit.answered(), Some(Change::Closed));
        assert_eq!(circuit.pass(now), Ok(()));
    }
}

//! Who may ask the backend now, who waits, and who is sent away at once and told when to come back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::circuit::{Change, Circuit};
use super::pace::Pace;

/// Those sent away come back no sooner than this: they have just cost us a handshake.
const LATER_LEAST: Duration = Duration::from_millis(200);
/// And no later than this, however many they are: a backend that recovers is to be used soon, and who comes in vain
/// costs us less than that.
const LATER_MOST: Duration = Duration::from_secs(20);
/// The same while it is not known yet how fast the backend is.
const LATER_MOST_STARTING: Duration = Duration::from_secs(3);

/// What one proxy may cost, us and the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Most questions under way at a time (`max_in_flight`).
    pub in_flight_max: usize,
    /// Most questions that wait (`max_waiting`).
    pub waiting_max: usize,
    /// Most bytes of them.
    pub waiting_bytes_max: usize,
    /// Longest that a question waits (`max_wait`); one that would have to wait longer is refused at once.
    pub wait_max: Duration,
}

/// A question that is to be admitted.
pub(super) trait Weigh {
    /// About how many bytes it holds.
    fn weight(&self) -> usize;
}

/// Admits questions `T` to a backend, first come, first served. Time is passed in, chance comes from a seed.
///
/// The rate adapts: as many are under way as the backend takes without slowing down ([`Pace`]), and no more wait
/// than it will have answered within [`wait_max`](AdmissionLimits::wait_max). Whoever comes on top is told to come
/// back, each of them a little later than the one before, so that they return as fast as they can be served.
#[derive(Debug)]
pub(super) struct Admission<T> {
    limits: AdmissionLimits,
    pace: Pace,
    circuit: Circuit,
    waiting: VecDeque<Waiting<T>>,
    waiting_bytes: usize,
    in_flight: usize,
    /// Those who were told to come back and, at the rate of the backend, have not been served yet.
    promised: Promised,
    chance: StdRng,
}

#[derive(Debug)]
struct Waiting<T> {
    until: Instant,
    what: T,
}

/// One that is not admitted, and how long it is to stay away.
#[derive(Debug)]
pub(super) struct SentAway<T> {
    pub(super) what: T,
    pub(super) wait: Duration,
}

/// How a question to the backend ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was answered, whatever the answer was.
    Answered,
    /// The backend could not be reached, took too long, or said that it is unwell.
    Failed,
}

/// How admission is going, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) in_flight: usize,
    pub(super) limit: usize,
    pub(super) waiting: usize,
    pub(super) circuit: Circuit,
}

impl<T: Weigh> Admission<T> {
    pub(super) fn new(limits: AdmissionLimits, seed: [u8; 32]) -> Self {
        Self {
            limits,
            pace: Pace::new(limits.in_flight_max),
            circuit: Circuit::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: 0,
            promised: Promised::default(),
            chance: StdRng::from_seed(seed),
        }
    }

    /// Takes a question in, to be had from [`next`](Self::next).
    ///
    /// # Errors
    /// It would have to wait for too long, or too many wait.
    pub(super) fn offer(&mut self, now: Instant, what: T) -> Result<(), SentAway<T>> {
        let closed = self.circuit.open_until().filter(|until| now < *until);
        let weight = what.weight();
        let turn = self.turn();
        let no_room = self.waiting_bytes + weight > self.limits.waiting_bytes_max
            || (self.waiting.len() >= self.limits.waiting_max && !turn.is_zero());
        if closed.is_some() || no_room || turn > self.limits.wait_max {
            return Err(self.send_away(now, what));
        }
        self.waiting_bytes += weight;
        self.waiting.push_back(Waiting { until: now + self.limits.wait_max, what });
        Ok(())
    }

    /// The next question that may be asked now. It is under way until [`done`](Self::done) or [`let_go`](Self::let_go).
    pub(super) fn next(&mut self, now: Instant) -> Option<T> {
        if self.waiting.is_empty() || self.in_flight >= self.pace.limit() || self.circuit.pass(now).is_err() {
            return None;
        }
        self.in_flight += 1;
        self.shift()
    }

    /// The next question that has waited for too long.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<SentAway<T>> {
        let first = self.waiting.front()?;
        let hopeless = self.circuit.open_until().is_some_and(|until| until > first.until);
        if first.until > now && !hopeless {
            return None;
        }
        let what = self.shift()?;
        Some(self.send_away(now, what))
    }

    /// A question that was under way since `begun` has ended.
    pub(super) fn done(&mut self, begun: Instant, now: Instant, ended: Ended) -> Option<Change> {
        let busy = 2 * self.in_flight >= self.pace.limit();
        self.in_flight -= 1;
        match ended {
            Ended::Answered => {
                self.pace.answered(begun, now, busy);
                let change = self.circuit.answered();
                if change.is_some() {
                    self.pace.restart();
                }
                change
            }
            Ended::Failed => {
                self.pace.failed(begun, now);
                self.circuit.failed(now, &mut self.chance)
            }
        }
    }

    /// A question that was under way has ended, and says nothing of how the backend is asked now.
    pub(super) fn let_go(&mut self) {
        self.in_flight -= 1;
    }

    /// The backend is asked in another way from now on: nothing that was learnt of it holds. What is under way still is.
    pub(super) fn begin_anew(&mut self) {
        self.pace = Pace::new(self.limits.in_flight_max);
        self.circuit = Circuit::new();
    }

    /// When [`overdue`](Self::overdue) or [`next`](Self::next) may have something without anything being done.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let first = self.waiting.front()?;
        // A circuit whose time is over waits for room under the limit, which comes by an answer.
        let opens = self.circuit.open_until().filter(|until| *until > now);
        Some(opens.map_or(first.until, |until| until.min(first.until)))
    }

    pub(super) fn state(&self) -> State {
        State {
            in_flight: self.in_flight,
            limit: self.pace.limit(),
            waiting: self.waiting.len(),
            circuit: self.circuit,
        }
    }

    fn shift(&mut self) -> Option<T> {
        let Waiting { what, .. } = self.waiting.pop_front()?;
        self.waiting_bytes -= what.weight();
        Some(what)
    }

    /// How long somebody who comes now waits for its turn.
    fn turn(&self) -> Duration {
        if self.in_flight + self.waiting.len() < self.pace.limit() {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((self.waiting.len() + 1) as f64 / self.pace.rate())
    }

    fn send_away(&mut self, now: Instant, what: T) -> SentAway<T> {
        let rate = self.pace.rate();
        let most = if self.pace.is_starting() { LATER_MOST_STARTING } else { LATER_MOST };
        let before = self.promised.add_one(now, rate, most);
        let opens = self.circuit.open_until().map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let turn = Duration::from_secs_f64((self.waiting.len() as f64 + before + 1.0) / rate);
        let wait = match turn < most {
            true => turn.mul_f64(self.chance.random_range(0.8..=1.2)),
            // Beyond that nobody can be promised a place in a line; then at least they do not come together.
            false => most.mul_f64(self.chance.random_range(0.0..=1.0)),
        };
        SentAway { what, wait: (opens + wait).max(LATER_LEAST) }
    }
}

/// How many have been promised a turn and not had it yet, as the time goes by.
#[derive(Debug, Default)]
struct Promised {
    many: f64,
    at: Option<Instant>,
}

impl Promised {
    /// Promises one more. How many come before it.
    fn add_one(&mut self, now: Instant, rate: f64, most: Duration) -> f64 {
        let passed = self.at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let before = (self.many - passed.as_secs_f64() * rate).max(0.0);
        self.many = (before + 1.0).min(most.as_secs_f64() * rate);
        before
    }
}

#[cfg(test)]
mod tests;

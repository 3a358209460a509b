//! What is counted of each proxy, for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::admission::State;
use super::circuit::Circuit;

/// The counters of one proxy.
#[derive(Debug, Default)]
pub(super) struct ProxyStats {
    now: Mutex<Gauges>,
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
    answer_micros: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Gauges {
    in_flight: usize,
    limit: usize,
    waiting: usize,
    circuit: u8,
}

/// How a proxy is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySnapshot {
    /// Which.
    pub name: String,
    /// Questions under way.
    pub in_flight: usize,
    /// How many may be, at this time.
    pub limit: usize,
    /// Questions that wait.
    pub waiting: usize,
    /// 0 is closed, 1 probing, 2 open.
    pub circuit: u8,
    /// How questions have ended: `answered`, `status`, `silence`, `untrusted`, `broken`, `nonsense`, `not_json`,
    /// `sent_away`.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Time that answers and failures took, all together.
    pub took: Duration,
}

impl ProxyStats {
    pub(super) fn is(&self, state: State) {
        let circuit = match state.circuit {
            Circuit::Closed { .. } => 0,
            Circuit::Probing { .. } => 1,
            Circuit::Open { .. } => 2,
        };
        let State { in_flight, limit, waiting, .. } = state;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) =
            Gauges { in_flight, limit, waiting, circuit };
    }

    pub(super) fn ended(&self, outcome: &'static str) {
        *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_default() += 1;
    }

    pub(super) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.answer_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, name: &str) -> ProxySnapshot {
        let Gauges { in_flight, limit, waiting, circuit } =
            *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        ProxySnapshot {
            name: name.to_owned(),
            in_flight,
            limit,
            waiting,
            circuit,
            outcomes: self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            took: Duration::from_micros(self.answer_micros.load(Ordering::Relaxed)),
        }
    }
}

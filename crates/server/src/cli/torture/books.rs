//! The ledger, shared by the members of a crowd, and the clock that they share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spanwire_client_core::Event;
use spanwire_client_core::time::Instant;

use super::ledger::{Ledger, Number};

/// The ledger of a crowd. A member holds the lock for one entry, never while it waits.
#[derive(Debug)]
pub(super) struct Books {
    began: tokio::time::Instant,
    names: Vec<String>,
    ledger: Mutex<Ledger>,
}

impl Books {
    pub(super) fn new(clients: usize, names: Vec<String>) -> Self {
        let ledger = Mutex::new(Ledger::new(clients, names.clone()));
        Self { began: tokio::time::Instant::now(), names, ledger }
    }

    /// The name of a channel.
    pub(super) fn name(&self, channel: usize) -> &str {
        &self.names[channel]
    }

    /// How many channels there are.
    pub(super) fn channels(&self) -> usize {
        self.names.len()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time, as clients understand it.
    pub(super) fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When a client's time is.
    pub(super) fn moment(&self, at: Instant) -> tokio::time::Instant {
        self.began + Duration::from_millis(at.as_millis())
    }

    /// A client's application is told something.
    pub(super) fn told(&self, client: usize, event: &Event) {
        self.ledger().told(self.elapsed(), client, event);
    }

    /// Something is to be published, by a client or by a backend; the result is its number.
    pub(super) fn publishes(&self, publisher: Option<usize>, channel: usize) -> Number {
        self.ledger().publishes(self.elapsed(), publisher, channel)
    }
}

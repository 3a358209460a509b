//! The memory implementations, held to what every broker and presence owes.

mod limits;
mod model;
mod requests;

use std::time::Duration;

use spanwire_hub::broker::{MemoryBroker, MemoryLimits};
use spanwire_hub::conformance::{Harness, broker_suite, presence_suite};
use spanwire_hub::presence::MemoryPresence;
use spanwire_hub::time::{Instant, Now};

/// Makes subjects that answer at once, and keeps time by adding to a number.
struct Sandbox<F> {
    clock_ms: u64,
    make: F,
}

impl<T, F: FnMut() -> T> Harness for Sandbox<F> {
    type Subject = T;

    fn fresh(&mut self) -> T {
        (self.make)()
    }

    fn now(&self) -> Now {
        Now { at: Instant::from_millis(self.clock_ms), unix_ms: self.clock_ms }
    }

    fn pass(&mut self, time: Duration) {
        self.clock_ms += u64::try_from(time.as_millis()).unwrap();
    }

    fn settle(&mut self, _: &mut T) {}
}

#[test]
fn the_broker_in_memory_keeps_its_promises() {
    let limits = MemoryLimits::default();
    let window = limits.idempotency_window;
    let make = move || MemoryBroker::new(limits.clone(), [7; 32]);
    broker_suite(&mut Sandbox { clock_ms: 0, make }, window);
}

#[test]
fn presence_in_memory_keeps_its_promises() {
    presence_suite(&mut Sandbox { clock_ms: 0, make: MemoryPresence::new });
}

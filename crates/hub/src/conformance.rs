//! What every broker and every presence owes, as tests that any implementation can run.
//!
//! An implementation in another crate writes a [`Harness`] and, in a test, calls [`broker_suite`] or
//! [`presence_suite`]. Each scene starts with a fresh subject; a scene that fails panics, and its name is printed.
//!
//! The suites ask for nothing but what [`Broker`] and [`Presence`] promise: events may come late, and events of
//! different listeners in any order.

mod broker;
mod presence;
mod stage;

use std::any::type_name;
use std::time::Duration;

use self::stage::Stage;
use crate::broker::Broker;
use crate::presence::Presence;
use crate::time::Now;

/// Makes what is tested, and keeps time for it.
pub trait Harness {
    /// A [`Broker`] or a [`Presence`].
    type Subject;

    /// One that knows no channels, and sees nothing of those that were made before.
    fn fresh(&mut self) -> Self::Subject;

    /// What the clocks read.
    fn now(&self) -> Now;

    /// Lets time pass: by adding to a number, or by waiting. Suites ask for some seconds at a time, for windows and
    /// leases of the implementation for as much as these are long.
    fn pass(&mut self, time: Duration);

    /// Returns when the subject has an event to poll, or when everything that was submitted has had its effects and
    /// there is none. An implementation that answers at once has nothing to do here.
    fn settle(&mut self, subject: &mut Self::Subject);
}

/// Plays all scenes about a broker. Publishes with an idempotency key are remembered for `idempotency_window` by the
/// brokers that this harness makes.
///
/// # Panics
/// If the broker breaks a promise.
pub fn broker_suite<H: Harness<Subject: Broker>>(harness: &mut H, idempotency_window: Duration) {
    broker::play_all(harness, idempotency_window);
}

/// Plays all scenes about presence.
///
/// # Panics
/// If the presence breaks a promise.
pub fn presence_suite<H: Harness<Subject: Presence>>(harness: &mut H) {
    presence::play_all(harness);
}

/// Plays one scene with a fresh subject. The function that plays it is its name.
fn play<H: Harness, P: FnOnce(&mut Stage<'_, H>)>(harness: &mut H, scene: P) {
    let path = type_name::<P>();
    let path = path.split_once('<').map_or(path, |(path, _)| path);
    let _name = Announced(path.rsplit("::").next().unwrap_or(path));
    scene(&mut Stage::new(harness));
}

/// Prints the name of a scene if it is dropped by a panic.
struct Announced(&'static str);

impl Drop for Announced {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the scene that failed: {}", self.0);
        }
    }
}

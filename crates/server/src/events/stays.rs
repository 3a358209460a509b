//! Stays: how long users are there, also if their connections are cut now and then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::Event;
use super::grace::Grace;

/// The stays of users. A stay is begun by a connection and, with a grace, goes on with the next one of the same user if
/// that comes in time: then neither the end of the one nor the beginning of the other is told.
///
/// The anonymous are nobody who could come back, and their ends are told at once. Which of a user's devices it is that
/// comes back nobody knows: as many stays go on as connections come.
#[derive(Debug)]
pub(super) struct Stays {
    ended: Grace<Arc<str>, Ended>,
    /// By the id of a client that goes on with a stay: the id with which that began.
    begun: HashMap<Box<str>, Box<str>>,
}

/// A stay that may have ended.
#[derive(Debug)]
struct Ended {
    first_client: Box<str>,
    event: Event,
}

impl Stays {
    pub(super) fn new(grace: Duration, held_max: usize) -> Self {
        Self { ended: Grace::new(grace, held_max), begun: HashMap::new() }
    }

    /// A client has connected. Whether it goes on with a stay, so that there is nothing to tell.
    pub(super) fn connected(&mut self, user: &str, client: &str) -> bool {
        if user.is_empty() || !self.ended.is_on() {
            return false;
        }
        let Some(Ended { first_client, .. }) = self.ended.take_back(user) else { return false };
        self.begun.insert(client.into(), first_client);
        true
    }

    /// The id with which a client's stay began, if that is not its own.
    pub(super) fn first_client(&self, client: &str) -> Option<&str> {
        self.begun.get(client).map(|first| &**first)
    }

    /// A client is gone. The event, unless it is held back.
    pub(super) fn disconnected(
        &mut self,
        now: Instant,
        user: &Arc<str>,
        client: &str,
        event: Event,
    ) -> Option<Event> {
        let begun = self.begun.remove(client);
        if user.is_empty() || !self.ended.is_on() {
            return Some(event);
        }
        let first_client = begun.unwrap_or_else(|| client.into());
        self.ended.hold(now, user.clone(), Ended { first_client, event });
        None
    }

    /// The next end that is to be told now.
    pub(super) fn let_go(&mut self, now: Instant) -> Option<Event> {
        self.ended.let_go(now).map(|ended| ended.event)
    }

    /// The next end, whether its time is over or not.
    pub(super) fn let_go_early(&mut self) -> Option<Event> {
        self.ended.let_go_early().map(|ended| ended.event)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.ended.next_due()
    }

    /// How many ends are held back.
    pub(super) fn held(&self) -> usize {
        self.ended.len()
    }
}

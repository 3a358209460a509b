//! What the application asks: sent when possible, again where that is harmless, and always answered.

use std::time::Duration;

use spanwire_wire::Outcome;

use super::{Client, Pending};
use crate::calls::{self, CallId, Stage};
use crate::link::Link;
use crate::time::Instant;
use crate::{Call, CallError, Key};

impl Client {
    pub(super) fn call(&mut self, now: Instant, key: Key, call: Call) {
        if matches!(self.link, Link::Idle) {
            return self.tell(calls::failed(&call, key, CallError::Closed));
        }
        if !self.is_connected() && !call.waits() {
            return self.tell(calls::failed(&call, key, CallError::Offline));
        }
        match self.calls.add(now, key, call.clone(), &self.config.limits) {
            Err(error) => self.tell(calls::failed(&call, key, error)),
            Ok(id) => {
                if let Link::Live(live) = &self.link {
                    let idempotent = live.idempotent;
                    self.send_call(id, idempotent);
                }
            }
        }
    }

    /// A connection is there: what waited goes out, in order.
    pub(super) fn send_waiting_calls(&mut self, idempotent: bool) {
        for id in self.calls.ids(|entry| entry.stage == Stage::Waiting) {
            self.send_call(id, idempotent);
        }
    }

    fn send_call(&mut self, id: CallId, idempotent: bool) {
        let Some(entry) = self.calls.get_mut(id) else { return };
        if entry.was_sent && !entry.may_repeat(idempotent) {
            // Sent to a server that knew keys; this one does not, so once more could be twice.
            return self.give_up(id, CallError::Unacknowledged);
        }
        // One key for the life of the call: it is what makes the second sending harmless.
        let key = if idempotent { format!("{}-{id}", self.key_prefix) } else { String::new() };
        (entry.stage, entry.was_sent) = (Stage::Sent, true);
        let request = entry.request(key);
        self.command(request, Pending::Call(id));
    }

    pub(super) fn call_answered(&mut self, now: Instant, id: CallId, outcome: Outcome) {
        let idempotent = matches!(&self.link, Link::Live(live) if live.idempotent);
        if matches!(&outcome, Outcome::Error(error) if error.temporary)
            && let Some(entry) = self.calls.get_mut(id)
            && entry.may_repeat(idempotent)
        {
            let wait = entry.backoff.next(Duration::ZERO, &self.config.limits, &mut self.chance);
            entry.stage = Stage::Resting { until: now + wait };
            return;
        }
        if let Some(entry) = self.calls.take(id) {
            self.tell(entry.answered(outcome));
        }
    }

    /// The connection is gone, and the answers that it owed with it. Nothing is sent `again` that could have been the
    /// end of it.
    pub(super) fn recall(&mut self, again: bool, idempotent: bool) {
        for id in self.calls.ids(|entry| entry.stage != Stage::Waiting) {
            let Some(entry) = self.calls.get_mut(id) else { continue };
            // What rests was answered, by a refusal for now: it is not in doubt, whatever the connection was.
            let rests = matches!(entry.stage, Stage::Resting { .. });
            if rests || (again && entry.may_repeat(idempotent)) {
                entry.stage = Stage::Waiting;
            } else {
                self.give_up(id, CallError::Unacknowledged);
            }
        }
    }

    pub(super) fn calls_due(&mut self, now: Instant) {
        for id in self.calls.ids(|entry| entry.expires_at <= now) {
            self.give_up(id, CallError::Expired);
        }
        let Link::Live(live) = &self.link else { return };
        let idempotent = live.idempotent;
        for id in self.calls.ids(|entry| matches!(entry.stage, Stage::Resting { until } if until <= now)) {
            self.send_call(id, idempotent);
        }
    }

    fn give_up(&mut self, id: CallId, unsent: CallError) {
        if let Some(entry) = self.calls.take(id) {
            self.tell(entry.given_up(unsent));
        }
    }
}

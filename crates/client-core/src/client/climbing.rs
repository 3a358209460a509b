//! A better transport than the one in use: looked for now and then, and changed to where nothing is lost by it.

use super::Client;
use crate::link::Link;
use crate::time::Instant;
use crate::{ConnectionId, Output};

/// A connection that is opened to see whether the best transport can be had again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scout {
    pub(super) connection: ConnectionId,
    until: Instant,
}

impl Client {
    /// When something is to be done about it.
    pub(super) fn climbing_due(&self) -> Option<Instant> {
        let Link::Live(_) = self.link else { return None };
        self.scout.map(|scout| scout.until).or_else(|| self.ladder.climb_at())
    }

    pub(super) fn climb(&mut self, now: Instant) {
        if self.climbing_due().is_none_or(|due| due > now) {
            return;
        }
        if self.scout.is_some() {
            self.recall_scout();
            return self.ladder.climb_later(now + self.config.limits.climb_after);
        }
        let connection = self.next_connection();
        self.scout = Some(Scout { connection, until: now + self.config.limits.open_within });
        self.outputs.push_back(Output::Open(connection, self.ladder.best()));
    }

    /// The best transport can be had again. It is changed to if nothing is under way that could be lost; what is published
    /// meanwhile is recovered.
    pub(super) fn scout_arrived(&mut self, now: Instant) {
        let is_idle = self.pending.is_empty() && self.calls.len() == 0;
        let Some(Scout { connection, until }) = self.scout.filter(|_| is_idle) else {
            self.recall_scout();
            return self.ladder.climb_later(now + self.config.limits.stream_within);
        };
        self.scout = None;
        self.hang_up();
        self.leave_connection(false);
        self.ladder.top();
        self.link = Link::Opening { connection, until };
        self.opened(now, connection);
    }

    /// The best transport cannot be had yet.
    pub(super) fn scout_lost(&mut self, now: Instant) {
        self.scout = None;
        self.ladder.climb_later(now + self.config.limits.climb_after);
    }

    pub(super) fn recall_scout(&mut self) {
        if let Some(scout) = self.scout.take() {
            self.outputs.push_back(Output::Close(scout.connection));
        }
    }

    pub(super) fn is_scout(&self, connection: ConnectionId) -> bool {
        self.scout.is_some_and(|scout| scout.connection == connection)
    }
}

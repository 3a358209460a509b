//! When a shard must look after a connection although nothing happens there: ends that take too long, writes that
//! stay blocked, native heartbeats. The heartbeats of sessions are the hub's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use spanwire_hub::time::Instant;

use super::connection::Connection;
use super::connections::Key;

/// Connections by their deadlines. Few connections have one, and most of those are met early: an entry is only a
/// reminder to look, and what really is due is for the connection to say.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BinaryHeap<Reverse<(Instant, Key)>>);

impl Deadlines {
    /// Makes sure that the connection is looked after at its next deadline. Each connection has one entry, and one
    /// more each time its deadline moves ahead of that, which it does a few times in its life.
    pub(super) fn arm(&mut self, key: Key, connection: &mut Connection) {
        let Some(aside) = connection.existing_aside_mut() else { return };
        let Some(at) = aside.deadline() else { return };
        if aside.armed.is_none_or(|armed| at < armed) {
            aside.armed = Some(at);
            self.remind(at, key);
        }
    }

    /// Has the connection looked after at this time.
    pub(super) fn remind(&mut self, at: Instant, key: Key) {
        self.0.push(Reverse((at, key)));
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The next entry that is due, with its time.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Key)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }
}

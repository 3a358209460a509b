//! From outboxes to sockets.

use super::Shard;
use crate::engine::connection::{Connection, Writing};
use crate::engine::connections::Key;
use crate::engine::limits::TURN_WRITES;
use crate::engine::writer::Written;

impl Shard {
    /// Writes once to each connection that has something to be written, as far as one turn goes: first to those
    /// that the last turns left over, but at most half of the turn. Whether everybody had its write.
    pub(super) fn flush(&mut self) -> bool {
        let all_written = self.write_to_all();
        self.writer.rest();
        let runs = self.writer.compressor().take_runs();
        self.stats().compressions.add(runs);
        all_written
    }

    fn write_to_all(&mut self) -> bool {
        let mut left = TURN_WRITES;
        for _ in 0..self.unwritten.len().min(TURN_WRITES / 2) {
            let Some(key) = self.unwritten.pop_front() else { break };
            self.write_to(key);
            left -= 1;
        }
        while left > 0 {
            let Some(id) = self.hub.poll_dirty() else { return true };
            self.write_to(id.into());
            left -= 1;
        }
        false
    }

    /// Puts a connection into the list of those to write to, unless it is there or its socket is full.
    pub(super) fn write_soon(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.writing == Writing::Open {
            connection.writing = Writing::Queued;
            self.unwritten.push_back(key);
        }
    }

    pub(super) fn write_to(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else {
            return key.session_index().map_or((), |index| self.pour(index));
        };
        if connection.writing == Writing::Blocked {
            return;
        }
        let outbox = connection.session().and_then(|id| self.hub.outbox_mut(id));
        match self.writer.write(connection, outbox) {
            Ok(written) => self.after_write(key, written),
            Err(_) => self.write_failed(key),
        }
    }

    /// A socket has been full for as long as it may be. The poller speaks up only when a third of a socket's buffer is free,
    /// for which a slow reader of a large one takes longer than that: if it takes a byte now, its peer reads.
    pub(super) fn try_once_more(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let outbox = connection.session().and_then(|id| self.hub.outbox_mut(id));
        match self.writer.write(connection, outbox) {
            Ok(written) if written.moved => self.after_write(key, written),
            Ok(_) | Err(_) => return self.write_failed(key),
        }
        // Its reminder was what has led here, and its end or its heartbeat may still be due.
        if let Some(connection) = self.connections.get_mut(key) {
            self.deadlines.arm(key, connection);
        }
    }

    fn after_write(&mut self, key: Key, written: Written) {
        let stats = &self.shared.stats[self.index];
        stats.writes.add(u64::from(written.bytes > 0 || written.blocked));
        stats.bytes_out.add(written.bytes as u64);
        stats.messages_out.add(written.messages as u64);
        stats.bytes_saved.add(written.saved as u64);
        let Some(connection) = self.connections.get_mut(key) else { return };
        let session = connection.session().filter(|_| written.messages > 0);
        if written.blocked {
            // Every byte that the socket takes is a sign of life, and the patience begins anew.
            let patience = self.reading.now.at + self.rules.write_timeout;
            connection.writing = Writing::Blocked;
            let aside = connection.aside_mut();
            if written.moved || aside.blocked_until.is_none() {
                aside.blocked_until = Some(patience);
            }
            self.deadlines.arm(key, connection);
        } else {
            connection.writing = if written.more { Writing::Queued } else { Writing::Open };
            if written.more {
                self.unwritten.push_back(key);
            }
            if connection.aside().is_some() {
                self.after_open_write(key);
            }
        }
        if let Some(id) = session {
            self.tell_drained(id);
        }
    }

    /// The socket took everything of a connection that has more on its mind than messages.
    fn after_open_write(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(aside) = connection.existing_aside_mut() {
            aside.blocked_until = None;
        }
        let farewell_written = connection.is_farewell_written();
        let resume = connection.session().is_none() && !connection.has_much_to_say();
        connection.tidy();
        if farewell_written {
            self.farewell_written(key);
        } else if resume {
            self.resume(key);
        }
    }
}

impl Connection {
    /// The poller says that the socket takes more. Whether the connection must be put into the list of those to
    /// write to.
    pub(super) fn wake_writing(&mut self) -> bool {
        let was_blocked = self.writing == Writing::Blocked;
        if was_blocked {
            self.writing = Writing::Queued;
        }
        was_blocked
    }
}

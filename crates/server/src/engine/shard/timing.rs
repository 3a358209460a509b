//! What is due although nothing has happened.

use spanwire_hub::Input;
use spanwire_hub::time::Instant;
use spanwire_wire::DisconnectCode;

use super::Shard;
use crate::engine::connections::Key;
use crate::engine::heartbeat::Beat;

/// What a connection's deadline means.
enum Due {
    Nothing,
    Ping,
    NoPong,
    /// The end takes too long.
    Over,
    /// The socket takes nothing.
    Blocked,
}

impl Shard {
    /// Lets everything happen whose time has come.
    pub(super) fn keep_time(&mut self) {
        let now = self.reading.now;
        if self.hub.next_deadline().is_some_and(|at| at <= now.at) {
            self.hub.handle(now, Input::Tick);
        }
        self.bus.expire(now);
        while let Some((at, key)) = self.deadlines.pop_due(now.at) {
            self.look_after(at, key);
        }
    }

    /// When [`keep_time`](Self::keep_time) has something to do.
    pub(super) fn next_deadline(&self) -> Instant {
        let others = [self.hub.next_deadline(), self.deadlines.next()];
        others.into_iter().flatten().fold(self.bus.expire_at(), Instant::min)
    }

    fn look_after(&mut self, at: Instant, key: Key) {
        let now = self.reading.now.at;
        let Some(connection) = self.connections.get_mut(key) else {
            return key.session_index().map_or((), |index| self.look_after_pipe(at, index));
        };
        let Some(aside) = connection.existing_aside_mut() else { return };
        if aside.armed != Some(at) {
            return;
        }
        aside.armed = None;
        let due = if aside.end_is_due(now) {
            Due::Over
        } else if aside.blocked_until.is_some_and(|until| until <= now) {
            Due::Blocked
        } else {
            match aside.heartbeat.as_mut().map(|heartbeat| heartbeat.beat(now, self.rules.native_pings)) {
                Some(Beat::Ping) => Due::Ping,
                Some(Beat::Missed) => Due::NoPong,
                Some(Beat::Nothing) | None => Due::Nothing,
            }
        };
        match due {
            Due::Nothing => {}
            Due::Over => return self.remove(key),
            Due::Blocked => return self.try_once_more(key),
            Due::Ping => aside.ping_due = true,
            Due::NoPong => aside.heartbeat = None,
        }
        self.deadlines.arm(key, connection);
        connection.tidy();
        match (due, connection.session()) {
            (Due::Ping, _) => self.write_soon(key),
            (Due::NoPong, Some(id)) => {
                self.hub.handle(self.reading.now, Input::Close(id, DisconnectCode::NoPong.into()));
            }
            _ => {}
        }
    }
}

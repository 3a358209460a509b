//! What happens of itself: pings, and the end of whatever took or lived too long.

use spanwire_wire::{DisconnectCode, encode_ping};

use super::Hub;
use crate::SessionId;
use crate::session::{Beat, Due, Life};
use crate::time::Now;

impl Hub {
    pub(super) fn tick(&mut self, now: Now) {
        while let Some(index) = self.wheel.pop_due(now.at) {
            let id = self.sessions.id(index);
            self.step(now, id);
            self.rearm(id);
        }
    }

    /// Sets the session's next deadline.
    pub(super) fn rearm(&mut self, id: SessionId) {
        match self.sessions.get(id).and_then(|session| session.next_due()) {
            Some(due) => self.wheel.set(id.index, due),
            None => self.wheel.cancel(id.index),
        }
    }

    fn step(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let is_behind = session.backlog.is_some();
        let answers_pings = !session.unidirectional;
        match &mut session.life {
            Life::Fresh { stale_at, .. } | Life::Refused { stale_at } if *stale_at <= now.at => {
                self.close(id, DisconnectCode::Stale.into());
            }
            Life::Connecting(connecting) if connecting.stale_at <= now.at => {
                // It has said what it had to, and we are late. As stale it would not come back.
                self.close(id, DisconnectCode::InternalServerError.into());
            }
            Life::Connected(client) if client.close_at().is_some_and(|at| at <= now.at) => {
                self.end_expired_connection(id);
            }
            Life::Connected(client) => {
                match client.heartbeat.beat(now.at, &self.config.limits, answers_pings) {
                    Beat::Ping => self.send(id, encode_ping(self.sessions.lane(id.index).encoding)),
                    // Its pong may be among the commands that wait for us.
                    Beat::Missed if is_behind => {
                        client.heartbeat.forgive(now.at + self.config.limits.pong_timeout)
                    }
                    Beat::Missed => return self.close(id, DisconnectCode::NoPong.into()),
                    Beat::Nothing => {}
                }
            }
            _ => {}
        }
        self.settle_rates(now, id);
        self.renew_expired(now, id);
        self.end_expired(now, id);
    }

    fn renew_expired(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Connected(client) = &mut session.life else { return };
        let renew_at = client.extra.as_mut().map(|extra| &mut extra.renew_at);
        if renew_at.and_then(|at| at.take_if(|at| *at <= now.at)).is_some() {
            self.ask_for_renewal(id);
        }
    }

    fn end_expired(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.subscriptions.expire_at.is_none_or(|at| at > now.at) {
            return;
        }
        let Due { over, to_renew } = session.subscriptions.due(now.at);
        for audience in to_renew {
            self.ask_for_subscription_renewal(id, audience);
        }
        for audience in over {
            self.end_expired_subscription(id, audience);
        }
    }

    /// The client says that it is there.
    pub(super) fn pong(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Connected(client) = &mut session.life else { return };
        if !client.heartbeat.pong(&self.config.limits) {
            self.close(id, DisconnectCode::BadRequest.into());
        }
    }
}

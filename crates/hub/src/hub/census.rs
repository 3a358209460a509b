//! How much there is in a hub, and who and what.

use std::sync::Arc;

use super::Hub;
use crate::session::Life;
use crate::time::Now;
use crate::{DeltaBytes, Expirable, Expiring, Skipped};

/// How much there is in a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open sessions, connected or not.
    pub sessions: usize,
    /// Sessions that have connected.
    pub clients: usize,
    /// Subscriptions of all sessions, those on their way included.
    pub subscriptions: usize,
    /// Channels with at least one subscription here.
    pub channels: usize,
    /// Questions that are not answered yet.
    pub asks: usize,
    /// About how many bytes are held, at most, for what is parked for those who lag.
    pub parked_bytes: usize,
}

impl Hub {
    /// How much there is. Once everybody is gone and everything answered, all of it is zero.
    pub fn census(&self) -> Census {
        Census {
            sessions: self.sessions.len(),
            clients: self.clients,
            subscriptions: self.subscriptions,
            channels: self.audiences.len(),
            asks: self.asks.len(),
            parked_bytes: self.parked_bytes,
        }
    }

    /// How many of these have expired, and how many are about to.
    pub fn expiring(&self, now: Now, what: Expirable) -> Expiring {
        let limits = &self.config.limits;
        let (expiries, delay) = match what {
            Expirable::Connection => (&self.connections_expire, limits.expired_close_delay),
            Expirable::Subscription => (&self.subscriptions_expire, limits.expired_sub_close_delay),
        };
        expiries.count(now.at, delay)
    }

    /// What those were told who take deltas, since this was last asked.
    pub fn take_delta_bytes(&mut self) -> DeltaBytes {
        std::mem::take(&mut self.delta_bytes)
    }

    /// What those were not sent who lag, since this was last asked.
    pub fn take_skipped(&mut self) -> Skipped {
        std::mem::take(&mut self.skipped)
    }

    /// The user of each connected client; a user with several clients comes several times, anonymous ones as the empty
    /// user.
    pub fn users(&self) -> impl Iterator<Item = &Arc<str>> {
        let lives = self.sessions.iter().map(|(_, session)| &session.life);
        lives.filter_map(|life| match life {
            Life::Connected(client) => Some(&client.user),
            _ => None,
        })
    }

    /// Channels with subscribers here, and how many.
    pub fn channels(&self) -> impl Iterator<Item = (&str, usize)> {
        self.audiences.iter().map(|audience| (audience.channel.as_str(), audience.len()))
    }
}

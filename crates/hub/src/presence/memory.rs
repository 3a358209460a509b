//! Presence kept in memory, answered at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use spanwire_wire::message::ClientInfo;

use super::{Presence, PresenceAnswer, PresenceRequest};
use crate::broker::{Listener, Ticket};
use crate::channel::Channel;
use crate::time::Now;

/// Presence in memory. On a node with several shards each owns one, for the channels that hash to it.
///
/// It has no limits of its own: each entry belongs to a live subscription, and those are limited. An entry is
/// removed with its subscription, so it needs no lease.
#[derive(Debug, Default)]
pub struct MemoryPresence {
    /// Never iterated: its order is chance, and must not show.
    channels: HashMap<Channel, Attendance, RandomState>,
    answers: VecDeque<(Listener, Ticket, PresenceAnswer)>,
}

/// Who is in one channel.
#[derive(Debug, Default)]
struct Attendance {
    /// By client id, in order, as the answer to `Get` wants them.
    clients: BTreeMap<String, ClientInfo>,
    /// How many clients each user has. Counted as they come and go, because anybody may ask for the number at any
    /// time, in channels of any size.
    users: HashMap<String, u32, RandomState>,
}

impl MemoryPresence {
    /// Presence in which nobody is anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many channels have somebody in them.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    fn remove(&mut self, channel: &Channel, client: &str) {
        let Some(attendance) = self.channels.get_mut(channel) else { return };
        attendance.remove(client);
        if attendance.clients.is_empty() {
            self.channels.remove(channel);
        }
    }
}

impl Presence for MemoryPresence {
    fn submit(
        &mut self,
        _now: Now,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        request: PresenceRequest,
    ) {
        let attendance = self.channels.get(channel);
        let answer = match request {
            PresenceRequest::Add(info) => {
                self.channels.entry(channel.clone()).or_default().add(info);
                PresenceAnswer::Done
            }
            PresenceRequest::Remove(client) => {
                self.remove(channel, &client);
                PresenceAnswer::Done
            }
            PresenceRequest::Get => {
                PresenceAnswer::Clients(attendance.map(|here| here.clients.clone()).unwrap_or_default())
            }
            PresenceRequest::Stats => {
                attendance.map_or_else(|| Attendance::default().stats(), Attendance::stats)
            }
        };
        if ticket != Ticket::NOBODY {
            self.answers.push_back((from, ticket, answer));
        }
    }

    fn poll(&mut self) -> Option<(Listener, Ticket, PresenceAnswer)> {
        self.answers.pop_front()
    }

    fn lease(&self) -> Option<Duration> {
        None
    }
}

impl Attendance {
    /// Notes a client; one that is known may have changed its user.
    fn add(&mut self, info: ClientInfo) {
        *self.users.entry_ref(info.user.as_str()).or_default() += 1;
        if let Some(former) = self.clients.insert(info.client.clone(), info) {
            self.discount(&former.user);
        }
    }

    fn remove(&mut self, client: &str) {
        if let Some(former) = self.clients.remove(client) {
            self.discount(&former.user);
        }
    }

    fn discount(&mut self, user: &str) {
        if let Some(clients) = self.users.get_mut(user) {
            *clients -= 1;
            if *clients == 0 {
                self.users.remove(user);
            }
        }
    }

    fn stats(&self) -> PresenceAnswer {
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        PresenceAnswer::Stats { clients: number(self.clients.len()), users: number(self.users.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_everybody_left_costs_nothing() {
        let mut presence = MemoryPresence::new();
        let channel = Channel::new("room");
        let mut tell = |request| {
            presence.submit(Now::default(), Listener(0), Ticket::NOBODY, &channel, request);
            assert!(presence.poll().is_none());
            presence.channels()
        };
        let client = |client: &str| ClientInfo { client: client.to_owned(), ..ClientInfo::default() };
        assert_eq!(tell(PresenceRequest::Get), 0);
        assert_eq!(tell(PresenceRequest::Remove("a".to_owned())), 0);
        assert_eq!(tell(PresenceRequest::Add(client("a"))), 1);
        assert_eq!(tell(PresenceRequest::Add(client("b"))), 1);
        assert_eq!(tell(PresenceRequest::Remove("a".to_owned())), 1);
        assert_eq!(tell(PresenceRequest::Remove("b".to_owned())), 0);
    }
}

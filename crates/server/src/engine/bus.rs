//! The way from a hub to the owner of a channel and back: within the shard at once, to other shards by letter.

use std::sync::Arc;

use slab::Slab;
use spanwire_hub::Deed;
use spanwire_hub::broker::{
    Broker, BrokerAnswer, BrokerError, BrokerEvent, Listener, MemoryBroker, MemoryLimits, Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::presence::{MemoryPresence, Presence, PresenceAnswer};
use spanwire_hub::time::{Instant, Now};

use super::clock::Reading;
use super::handle::Shared;
use super::letter::{Born, Call, Caller, Letter, Request};
use super::limits::EXPIRE_INTERVAL;

/// The name under which [`Call`]s ask. It never listens, and no shard has it.
const CALLERS: Listener = Listener(u16::MAX);

/// The channels that a shard owns, and the shard's letters to the owners of all others.
///
/// What is asked of one channel goes one way, and what its owner says comes back another: each is a queue, so
/// nothing overtakes.
pub(super) struct Bus {
    index: usize,
    shared: Arc<Shared>,
    broker: MemoryBroker,
    presence: MemoryPresence,
    callers: Slab<Caller>,
    /// Letters of this turn, by the shard that they are for.
    outgoing: Box<[Vec<Letter>]>,
    /// Publishes that full mailboxes gave back, to be answered with a refusal.
    refused: Vec<Letter>,
    expire_at: Instant,
}

/// What the owner of a channel says to the shard's own hub.
#[derive(Debug)]
pub(super) enum Heard {
    Broker(BrokerEvent, Born),
    Presence(Ticket, PresenceAnswer),
}

impl Bus {
    pub(super) fn new(index: usize, shared: Arc<Shared>, epochs: [u8; 32]) -> Self {
        let outgoing = shared.mailboxes.iter().map(|_| Vec::new()).collect();
        Self {
            index,
            shared,
            broker: MemoryBroker::new(MemoryLimits::default(), epochs),
            presence: MemoryPresence::new(),
            callers: Slab::new(),
            outgoing,
            refused: Vec::new(),
            expire_at: Instant::default() + EXPIRE_INTERVAL,
        }
    }

    /// The shard's own hub asks, or tells with [`Ticket::NOBODY`].
    pub(super) fn ask(&mut self, now: Now, ticket: Ticket, channel: Channel, deed: Deed) {
        let from = Listener(self.index as u16);
        match self.shared.ownership.owner(&channel) {
            owner if owner == self.index => self.submit(now, from, ticket, &channel, deed),
            owner => {
                let request = Box::new(Request { from, ticket, channel, deed });
                self.outgoing[owner].push(Letter::Request(request));
            }
        }
    }

    /// Another shard's hub asks.
    pub(super) fn receive(&mut self, now: Now, request: Request) {
        let Request { from, ticket, channel, deed } = request;
        self.submit(now, from, ticket, &channel, deed);
    }

    /// Somebody outside of all shards asks.
    pub(super) fn call(&mut self, now: Now, call: Call) {
        let Call { channel, deed, caller } = call;
        let ticket = Ticket(self.callers.insert(caller) as u64);
        self.submit(now, CALLERS, ticket, &channel, deed);
    }

    fn submit(&mut self, now: Now, from: Listener, ticket: Ticket, channel: &Channel, deed: Deed) {
        match deed {
            Deed::Broker(request) => self.broker.submit(now, from, ticket, channel, request),
            Deed::Presence(request) => self.presence.submit(now, from, ticket, channel, request),
        }
    }

    /// The next thing that the shard's own hub must hear of; whatever is for others is sent their way meanwhile.
    pub(super) fn hear(&mut self, reading: Reading) -> Option<Heard> {
        let born = Born(reading.micros);
        while let Some((to, event)) = self.broker.poll() {
            match usize::from(to.0) {
                own if own == self.index => return Some(Heard::Broker(event, born)),
                _ if to == CALLERS => self.reply_broker(event),
                other => self.post(other, Letter::Event(event, born)),
            }
        }
        while let Some((to, ticket, answer)) = self.presence.poll() {
            match usize::from(to.0) {
                own if own == self.index => return Some(Heard::Presence(ticket, answer)),
                _ if to == CALLERS => self.reply_presence(ticket, answer),
                other => self.post(other, Letter::Presence(ticket, answer)),
            }
        }
        self.hear_refusal()
    }

    fn hear_refusal(&mut self) -> Option<Heard> {
        while let Some(letter) = self.refused.pop() {
            let Letter::Request(request) = letter else { continue };
            if request.ticket != Ticket::NOBODY {
                let refusal = BrokerAnswer::Refused(BrokerError::Unavailable);
                return Some(Heard::Broker(BrokerEvent::Answer(request.ticket, refusal), Born::default()));
            }
        }
        None
    }

    fn reply_broker(&mut self, event: BrokerEvent) {
        let BrokerEvent::Answer(ticket, answer) = event else { return };
        if let Some(Caller::Broker(reply)) = self.callers.try_remove(ticket.0 as usize) {
            // Whoever gave up waiting does not want to know.
            let _ = reply.send(answer);
        }
    }

    fn reply_presence(&mut self, ticket: Ticket, answer: PresenceAnswer) {
        if let Some(Caller::Presence(reply)) = self.callers.try_remove(ticket.0 as usize) {
            let _ = reply.send(answer);
        }
    }

    fn post(&mut self, to: usize, letter: Letter) {
        if let Some(letters) = self.outgoing.get_mut(to) {
            letters.push(letter);
        }
    }

    /// Sends the turn's letters, all that are for one shard under one lock. Whether some came back refused, so that
    /// there is something to [`hear`](Self::hear).
    pub(super) fn dispatch(&mut self) -> bool {
        for (letters, mailbox) in self.outgoing.iter_mut().zip(&self.shared.mailboxes) {
            if !letters.is_empty() {
                mailbox.put_all(letters, &mut self.refused);
            }
        }
        !self.refused.is_empty()
    }

    /// When [`Bus::expire`] has something to do.
    pub(super) fn expire_at(&self) -> Instant {
        self.expire_at
    }

    /// Lets the broker let go of what has outlived its time, if it is time.
    pub(super) fn expire(&mut self, now: Now) {
        if now.at >= self.expire_at {
            self.expire_at = now.at + EXPIRE_INTERVAL;
            self.broker.expire(now);
        }
    }
}

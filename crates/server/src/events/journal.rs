//! The journal: makes events of what the shards report, and keeps them in order.

use std::sync::Arc;
use std::time::Instant;

use spanwire_hub::happening::{Happening, Subscribed, What};
use spanwire_wire::{DisconnectReason, UnsubscribeCode};

use super::event::{ChanInfo, ConnInfo, Event, Words};
use super::kind::Kind;
use super::occupancy::{Entered, Occupancy};
use super::queue::{Dropped, Queue};
use super::settings::TellingSettings;
use super::stays::Stays;

/// What the node tells of the lives of its clients, in one order. Time is passed in.
#[derive(Debug)]
pub(super) struct Journal {
    settings: Arc<TellingSettings>,
    stays: Stays,
    occupancy: Occupancy,
    pub(super) queue: Queue,
    pub(super) tally: Tally,
}

/// What has been counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Events of each [`Kind`], as they were queued.
    pub(super) told: [u64; Kind::ALL.len()],
    /// Those that were dropped because the queue was full.
    pub(super) overflowed: u64,
    /// Those that the endpoint refused to take.
    pub(super) refused: u64,
    /// Those that the endpoint has.
    pub(super) delivered: u64,
}

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When it is for whoever waits.
    pub at: Instant,
    /// What the time is, in milliseconds since 1970.
    pub unix_ms: u64,
}

impl Journal {
    pub(super) fn new(settings: Arc<TellingSettings>) -> Self {
        let (graces, held_max) = (settings.graces, settings.queue.events_max);
        Self {
            stays: Stays::new(graces.disconnected, held_max),
            occupancy: Occupancy::new(graces.vacated, held_max),
            queue: Queue::new(settings.queue),
            tally: Tally::default(),
            settings,
        }
    }

    /// The node begins.
    pub(super) fn started(&mut self, unix_ms: u64) {
        self.tell(Event::new(Kind::Started, unix_ms, &Words::default()));
    }

    /// The node has ended: nobody comes back to it.
    pub(super) fn stopped(&mut self, unix_ms: u64) {
        while let Some(event) = self.stays.let_go_early() {
            self.tell(event);
        }
        while let Some(event) = self.occupancy.let_go_early() {
            self.tell(event);
        }
        self.tell(Event::new(Kind::Stopped, unix_ms, &Words::default()));
    }

    /// A shard reports.
    pub(super) fn happened(&mut self, now: Moment, happening: &Happening) {
        match &happening.what {
            What::Connected => self.connected(now, happening),
            What::Disconnected(reason) => self.disconnected(now, happening, reason),
            What::Subscribed(to) if self.settings.tells_of(to.channel.as_str()) => {
                self.subscribed(now, happening, to);
            }
            What::Unsubscribed(to, code) if self.settings.tells_of(to.channel.as_str()) => {
                self.unsubscribed(now, happening, to, *code);
            }
            What::Subscribed(_) | What::Unsubscribed(..) => {}
        }
        self.let_go(now.at);
    }

    /// Tells what was held back for long enough.
    pub(super) fn let_go(&mut self, now: Instant) {
        while let Some(event) = self.stays.let_go(now) {
            self.tell(event);
        }
        while let Some(event) = self.occupancy.let_go(now) {
            self.tell(event);
        }
    }

    /// When [`Self::let_go`] has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.stays.next_due().into_iter().chain(self.occupancy.next_due()).min()
    }

    /// How many ends are held back.
    pub(super) fn held(&self) -> usize {
        self.stays.held() + self.occupancy.held()
    }

    fn connected(&mut self, now: Moment, happening: &Happening) {
        if !self.stays.connected(&happening.user, &happening.client) {
            self.tell(Event::new(Kind::Connected, now.unix_ms, &words(happening)));
        }
    }

    fn disconnected(&mut self, now: Moment, happening: &Happening, reason: &DisconnectReason) {
        let Happening { client, user, .. } = happening;
        let words = Words {
            first_client: self.stays.first_client(client),
            code: Some(reason.code()),
            reason: Some(reason.text()),
            ..words(happening)
        };
        let event = Event::new(Kind::Disconnected, now.unix_ms, &words);
        if let Some(event) = self.stays.disconnected(now.at, user, client, event) {
            self.tell(event);
        }
    }

    fn subscribed(&mut self, now: Moment, happening: &Happening, to: &Subscribed) {
        let Entered { subscribers, occupied } = self.occupancy.enter(&to.channel);
        if occupied {
            self.tell(event_of(Kind::Occupied, now, to, subscribers));
        }
        let words = Words {
            first_client: self.stays.first_client(&happening.client),
            subscribers: Some(subscribers),
            ..words_in(happening, to)
        };
        self.tell(Event::new(Kind::Subscribed, now.unix_ms, &words));
    }

    fn unsubscribed(&mut self, now: Moment, happening: &Happening, to: &Subscribed, code: UnsubscribeCode) {
        let subscribers = self.occupancy.leave(&to.channel);
        let words = Words {
            first_client: self.stays.first_client(&happening.client),
            subscribers: Some(subscribers),
            code: Some(code.code()),
            reason: Some(code.reason()),
            ..words_in(happening, to)
        };
        self.tell(Event::new(Kind::Unsubscribed, now.unix_ms, &words));
        if subscribers == 0 {
            let event = event_of(Kind::Vacated, now, to, 0);
            if let Some(event) = self.occupancy.vacated(now.at, &to.channel, event) {
                self.tell(event);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        if self.settings.kinds.has(event.kind) {
            self.tally.told[event.kind as usize] += 1;
            let Dropped(dropped) = self.queue.push(event);
            self.tally.overflowed += dropped;
        }
    }
}

fn words(happening: &Happening) -> Words<'_> {
    Words {
        user: Some(&happening.user),
        client: Some(&happening.client),
        conn_info: ConnInfo::new(&happening.info),
        ..Words::default()
    }
}

fn words_in<'a>(happening: &'a Happening, to: &'a Subscribed) -> Words<'a> {
    Words { channel: Some(to.channel.as_str()), chan_info: ChanInfo::new(&to.info), ..words(happening) }
}

fn event_of(kind: Kind, now: Moment, to: &Subscribed, subscribers: u32) -> Event {
    let words =
        Words { channel: Some(to.channel.as_str()), subscribers: Some(subscribers), ..Words::default() };
    Event::new(kind, now.unix_ms, &words)
}

#[cfg(test)]
mod tests;

//! Who keeps accounts: of what was published and promised, and of what each application was told.
//!
//! The promise, as it is checked here:
//!
//! 1. A subscriber of a channel with history hears each publication once, in order, with the payload that was published
//!    at that offset; or a gap is told, from where it was to where it goes on.
//! 2. A gap is told only when something cannot be had: the stream began anew, or its history is too short, or more was
//!    missed than a client's outbox takes.
//! 3. In a calm after everything that went wrong, whoever wants to be connected is, and whoever wants to listen does,
//!    and has everything up to the top of each stream. What is published then arrives.
//! 4. A publish is answered once. Acknowledged, it is published, at the position that was told, and nothing is published
//!    twice in one life of a stream. It is reported as lost only if a connection was.
//! 5. Without history, nothing comes twice, and nothing out of order.
//! 6. In a channel of which only the latest counts, whoever comes hears that first, and from there on everything; what it
//!    missed before is told as a gap.
//!    In a conflated channel, whoever reads slowly is told a gap of what later ones of the same keys have replaced, and of
//!    nothing else.
//! 7. Within one time of listening, an application hears of another client's coming and going in turns. In the calm,
//!    presence is who listens, and whoever heard last that somebody came, or went, heard right.
//! 8. A connection ends for a reason: with silence only if something was silent, with a final code only if ordered. And
//!    a subscriber loses its place for a reason: only if something was lost on the way.
//! 9. When everybody has left, nothing is left: sessions, questions, listeners, presence, permits, letters.

mod account;
mod company;
mod hearing;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use spanwire_client_core::Event;
use spanwire_hub::channel::Position;

use self::account::Account;
pub(crate) use self::hearing::id_of;
use self::stream::Stream;
use crate::plot::Plot;

/// The accounts of one run.
#[derive(Debug, Default)]
pub struct Ledger {
    streams: BTreeMap<String, Stream>,
    people: Vec<Account>,
    violation: Option<String>,
    counts: BTreeMap<&'static str, u64>,
}

impl Ledger {
    pub(crate) fn new(people: usize) -> Self {
        Self { people: (0..people).map(|_| Account::default()).collect(), ..Self::default() }
    }

    /// What was broken first, if anything was.
    pub(crate) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// How often what happened: so that a test can demand that it did happen.
    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A promise was broken.
    pub(crate) fn blame(&mut self, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    /// The broker, in this life of it, has published something and said where.
    pub(crate) fn published(&mut self, life: u32, channel: &str, id: u64, position: Option<&Position>) {
        self.count("published");
        let stream = self.streams.entry(channel.to_owned()).or_default();
        if let Err(what) = stream.published(life, id, position) {
            self.blame(|| format!("the broker, in {channel}: {what}"));
        }
    }

    /// The broker has said where a stream stands.
    pub(crate) fn stands(&mut self, life: u32, channel: &str, position: &Position) {
        let stream = self.streams.entry(channel.to_owned()).or_default();
        if let Err(what) = stream.stands(life, position) {
            self.blame(|| format!("the broker, in {channel}: {what}"));
        }
    }

    /// A person's application wants to listen to a channel.
    pub(crate) fn wants(&mut self, person: usize, channel: &str) {
        self.people[person].hearing(channel).wants();
    }

    /// A person's application asks something under this key.
    pub(crate) fn asks(&mut self, person: usize, key: u64) {
        self.people[person].asks(key, None);
    }

    /// A person's application publishes something under this key.
    pub(crate) fn publishes(&mut self, person: usize, key: u64, channel: &str, id: u64) {
        self.streams.entry(channel.to_owned()).or_default().published_by_person(id);
        self.people[person].asks(key, Some((channel.to_owned(), id)));
    }

    /// A person's application wants to be connected, or not.
    pub(crate) fn wants_connection(&mut self, person: usize, wants: bool) {
        self.people[person].wants_connection = wants;
    }

    /// Something happens that explains why a person's connection is silent, up to this time.
    pub(crate) fn excuse_silence(&mut self, person: usize, until: u64) {
        let account = &mut self.people[person];
        account.silent_until = until.max(account.silent_until);
        self.excuse_slowness(person, until);
    }

    /// Something happens that explains why a person's subscribes are not answered in time, up to this time.
    pub(crate) fn excuse_slowness(&mut self, person: usize, until: u64) {
        let account = &mut self.people[person];
        account.slow_until = until.max(account.slow_until);
        self.excuse_lateness(person, until);
    }

    /// Something happens that explains why a person's questions are not answered, up to this time.
    pub(crate) fn excuse_lateness(&mut self, person: usize, until: u64) {
        let account = &mut self.people[person];
        account.late_until = until.max(account.late_until);
    }

    /// Something happens that explains why subscribers lose their place.
    pub(crate) fn excuse_holes(&mut self) {
        for account in &mut self.people {
            account.holes_excused = true;
        }
    }

    /// The backend orders a person out for good.
    pub(crate) fn ordered_out(&mut self, person: usize) {
        self.people[person].ordered_out = true;
    }

    /// The backend orders a person's subscription to end.
    pub(crate) fn ordered_off(&mut self, person: usize) {
        self.people[person].ordered_off = true;
    }

    /// A person's application is told something.
    pub(crate) fn told(&mut self, now: u64, person: usize, event: &Event) {
        let Self { streams, people, counts, .. } = self;
        let mut note = |what| *counts.entry(what).or_default() += 1;
        if let Err(what) = people[person].told(now, event, streams, &mut note) {
            self.blame(|| format!("{} at {:.3}: {what}", Plot::name(person), now as f64 / 1000.0));
        }
    }

    /// All is calm: everybody must be where they want to be, and have everything.
    pub(crate) fn settle(&mut self) {
        for person in 0..self.people.len() {
            if let Err(what) = self.people[person].settle(&self.streams) {
                self.blame(|| format!("{}, in the calm: {what}", Plot::name(person)));
            }
        }
    }

    /// Whether something that was published in the calm has arrived at everybody who listens; or a gap was told that ends
    /// behind it, for a broker may have lost its memory before and shown it only now.
    pub(crate) fn has_arrived(&mut self, channel: &str, id: u64) {
        for person in 0..self.people.len() {
            let (account, stream) = (&mut self.people[person], self.streams.get(channel));
            if !account.listens(channel) {
                continue;
            }
            let hearing = account.hearing(channel);
            if !hearing.has_heard(id) && !stream.is_some_and(|stream| hearing.is_behind(id, stream)) {
                let name = Plot::name(person);
                self.blame(|| format!("{name} does not hear what is published to {channel} in the calm"));
            }
        }
    }

    /// Who listens to a channel, by the ids of their sessions.
    pub(crate) fn listeners(&self, channel: &str) -> BTreeSet<String> {
        let listening = self.people.iter().filter(|account| account.listens(channel));
        listening.map(|account| account.session.clone()).collect()
    }

    /// Presence says who is in a channel: it must be those who listen, and whoever hears of comings must know them.
    pub(crate) fn present(&mut self, channel: &str, present: &BTreeSet<String>) {
        let listeners = self.listeners(channel);
        if *present != listeners {
            self.blame(|| format!("present in {channel} are {present:?}, but listening {listeners:?}"));
        }
        for person in 0..self.people.len() {
            if !self.people[person].listens(channel) {
                continue;
            }
            if let Err(what) = self.people[person].hearing(channel).company.compare(present) {
                self.blame(|| format!("{} in {channel}: {what}", Plot::name(person)));
            }
        }
    }

    /// Everything that was asked must be answered by now.
    pub(crate) fn all_answered(&mut self) {
        for person in 0..self.people.len() {
            if let Some(key) = self.people[person].unanswered() {
                self.blame(|| {
                    format!("what {} asked under the key {key} was never answered", Plot::name(person))
                });
            }
        }
    }
}

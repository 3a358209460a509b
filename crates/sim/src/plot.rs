//! What is to happen in a run: made from one number, and short enough to be read.

use std::fmt;

use crate::chance::Chance;
use crate::channels::{CHANNELS, SERVED};

/// When everything that goes wrong is over, at the latest, in milliseconds.
pub(crate) const CALM_AT: u64 = 70_000;

/// So many publications at once are more than an outbox takes.
pub(crate) const FLOOD: u64 = 250;

/// The most people in a run.
const PEOPLE: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];

/// A run, before it is played.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Where all chance of the run comes from: delays, cuts, ids.
    pub seed: u64,
    /// How many shards the node has.
    pub shards: usize,
    /// How many people there are.
    pub people: usize,
    /// The longest that one piece of a stream is on its way, in milliseconds.
    pub delay_max: u64,
    /// Answers of brokers travel apart from publications, and overtake them and are overtaken, as those of a broker on
    /// another machine would.
    pub answers_apart: bool,
    /// A subscriber to be may have only few publications waiting for it.
    pub narrow: bool,
    /// What happens, in the order of time.
    pub acts: Vec<Act>,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Act {
    /// When, in milliseconds since the beginning.
    pub at: u64,
    /// What.
    pub doing: Doing,
}

/// What can happen. People and channels are given by their numbers, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A person begins to listen.
    Subscribe(usize, usize),
    /// A person stops to listen.
    Unsubscribe(usize, usize),
    /// A person stops to listen and begins again at once.
    Rejoin(usize, usize),
    /// A person publishes so many times.
    Publish(usize, usize, u64),
    /// A person wants to know who is there.
    AskPresence(usize, usize),
    /// A person wants to know what was published.
    AskHistory(usize, usize),
    /// A person's client disconnects.
    LogOff(usize),
    /// A person's client connects.
    LogOn(usize),
    /// The backend publishes so many times.
    BackendPublish(usize, u64),
    /// The backend ends a person's subscription; whether it is to come back.
    BackendUnsubscribe(usize, usize, bool),
    /// The backend ends a person's connections; whether they are to come back.
    BackendDisconnect(usize, bool),
    /// A connection breaks, and both sides notice.
    Cut(usize),
    /// A connection breaks, and nobody notices.
    Vanish(usize),
    /// A person reads nothing for a while.
    StopReading(usize, u64),
    /// A shard's letters are late for a while, and so is what it owns.
    Slow(usize, u64),
    /// The backend takes long to say who somebody is and what it may, or never does, for a while.
    SlowBackend(usize, u64),
    /// What a shard owns refuses everything for a while.
    Outage(usize, u64),
    /// The broker of a shard loses its memory, and knows of nothing but who listens.
    Forget(usize),
    /// The node ends without a word, and begins anew with nothing in its memory.
    Crash(u64),
    /// The node tells everybody to go, ends, and begins anew.
    Drain(u64),
    /// The wall clock jumps, by so many seconds.
    WallJump(i64),
}

impl Plot {
    /// The run of this number.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "plot", 0);
        let (people, shards) =
            (chance.between(2, PEOPLE.len() as u64) as usize, chance.between(1, 3) as usize);
        let delay_max = [5, 40, 40, 300][chance.index(4)];
        let (answers_apart, narrow) = (chance.one_in(2), chance.one_in(4));
        let mut plot = Self { seed, shards, people, delay_max, answers_apart, narrow, acts: Vec::new() };
        plot.arrivals(&mut chance);
        // Some runs are calm and some are a storm: faults hide each other when there are too many.
        let (work, faults) = (chance.between(20, 60), chance.between(0, 12));
        let channels = chance.between(1, CHANNELS.len() as u64) as usize;
        let first = chance.index(CHANNELS.len());
        for _ in 0..work {
            let channel = (first + chance.index(channels)) % CHANNELS.len();
            let doing = plot.work(&mut chance, channel);
            let at = chance.between(1_000, CALM_AT);
            plot.add(at, doing);
            if let Doing::Subscribe(person, channel) = doing
                && chance.one_in(3)
            {
                // As it comes, it is sent away.
                plot.add(
                    at + chance.below(500),
                    Doing::BackendUnsubscribe(person, channel, chance.one_in(2)),
                );
            }
        }
        for _ in 0..faults {
            let at = chance.between(1_000, CALM_AT);
            let channel = (first + chance.index(channels)) % CHANNELS.len();
            let doing = plot.fault(&mut chance, at, channel);
            plot.add(at, doing);
            if chance.one_in(2) {
                plot.aggravate(&mut chance, at, doing, channel);
            }
        }
        plot.acts.sort_by_key(|act| act.at);
        plot
    }

    /// What a person is called.
    pub fn name(person: usize) -> &'static str {
        PEOPLE[person % PEOPLE.len()]
    }

    fn add(&mut self, at: u64, doing: Doing) {
        self.acts.push(Act { at, doing });
    }

    fn arrivals(&mut self, chance: &mut Chance) {
        for person in 0..self.people {
            let at = chance.below(3_000);
            self.add(at, Doing::LogOn(person));
            for (channel, name) in CHANNELS.iter().enumerate() {
                if *name != SERVED && chance.one_in(2) {
                    self.add(at + chance.below(10_000), Doing::Subscribe(person, channel));
                }
            }
        }
    }

    /// Adds to a fault what makes it hurt.
    fn aggravate(&mut self, chance: &mut Chance, at: u64, fault: Doing, channel: usize) {
        let person = chance.index(self.people);
        match fault {
            // Much to read for somebody who does not.
            Doing::StopReading(..) => self.add(at + 500, Doing::BackendPublish(channel, FLOOD)),
            // Somebody has to begin anew just now.
            Doing::Outage(..) | Doing::SlowBackend(..) => self.add(at + 100, Doing::Cut(person)),
            // More questions than are asked at a time, so that everything else waits behind them.
            Doing::Slow(..) => self.add(at + 100, Doing::Publish(person, channel, 8)),
            _ => {}
        }
    }

    fn work(&self, chance: &mut Chance, channel: usize) -> Doing {
        let person = chance.index(self.people);
        match chance.below(20) {
            0..=6 => Doing::Publish(person, channel, chance.between(1, 3)),
            7..=11 => {
                let burst = if chance.one_in(4) { 40 } else { 5 };
                Doing::BackendPublish(channel, chance.between(1, burst))
            }
            // To a channel that the server chooses nobody goes by wish.
            12..=15 if CHANNELS[channel] == SERVED => Doing::BackendPublish(channel, 1),
            12 | 13 => Doing::Subscribe(person, channel),
            14 => Doing::Unsubscribe(person, channel),
            15 => Doing::Rejoin(person, channel),
            16 => Doing::AskPresence(person, channel),
            17 => Doing::AskHistory(person, channel),
            18 => Doing::LogOff(person),
            _ => Doing::LogOn(person),
        }
    }

    fn fault(&self, chance: &mut Chance, at: u64, channel: usize) -> Doing {
        let (person, shard) = (chance.index(self.people), chance.index(self.shards));
        // Whatever lasts is over when calm begins.
        let mut lasting = |most: u64| chance.between(1, most).min((CALM_AT + 500).saturating_sub(at));
        let (short, long) = (lasting(3_000), lasting(12_000));
        match chance.below(27) {
            0..=4 => Doing::Cut(person),
            5 | 6 => Doing::Vanish(person),
            7..=9 => Doing::StopReading(person, long),
            10..=12 | 21 | 22 => Doing::Slow(shard, if chance.one_in(2) { short } else { long }),
            13 | 14 => Doing::Outage(shard, short),
            23 => Doing::Forget(shard),
            25 | 26 => Doing::SlowBackend(shard, long),
            15 => Doing::Crash(short),
            16 => Doing::Drain(short),
            17 => Doing::WallJump(chance.between(0, 14_400) as i64 - 7_200),
            18..=20 => Doing::BackendUnsubscribe(person, channel, chance.one_in(2)),
            _ => Doing::BackendDisconnect(person, !chance.one_in(4)),
        }
    }
}

impl Doing {
    /// The person who is needed for it, if anybody is.
    pub fn person(self) -> Option<usize> {
        match self {
            Self::Subscribe(person, _)
            | Self::Unsubscribe(person, _)
            | Self::Rejoin(person, _)
            | Self::Publish(person, ..)
            | Self::AskPresence(person, _)
            | Self::AskHistory(person, _)
            | Self::LogOff(person)
            | Self::LogOn(person)
            | Self::BackendUnsubscribe(person, ..)
            | Self::BackendDisconnect(person, _)
            | Self::Cut(person)
            | Self::Vanish(person)
            | Self::StopReading(person, _) => Some(person),
            Self::BackendPublish(..)
            | Self::Slow(..)
            | Self::SlowBackend(..)
            | Self::Outage(..)
            | Self::Forget(_)
            | Self::Crash(_)
            | Self::Drain(_)
            | Self::WallJump(_) => None,
        }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |person| Plot::name(person);
        let channel = |channel: usize| CHANNELS[channel % CHANNELS.len()];
        match *self {
            Self::Subscribe(p, c) => write!(f, "{} begins to listen to {}", name(p), channel(c)),
            Self::Unsubscribe(p, c) => write!(f, "{} stops to listen to {}", name(p), channel(c)),
            Self::Rejoin(p, c) => write!(f, "{} leaves {} and comes back at once", name(p), channel(c)),
            Self::Publish(p, c, times) => write!(f, "{} publishes to {}, {times} times", name(p), channel(c)),
            Self::AskPresence(p, c) => write!(f, "{} asks who is in {}", name(p), channel(c)),
            Self::AskHistory(p, c) => write!(f, "{} asks for the history of {}", name(p), channel(c)),
            Self::LogOff(p) => write!(f, "{} disconnects", name(p)),
            Self::LogOn(p) => write!(f, "{} connects", name(p)),
            Self::BackendPublish(c, times) => {
                write!(f, "the backend publishes to {}, {times} times", channel(c))
            }
            Self::BackendUnsubscribe(p, c, back) => {
                let how = if back { "for a moment" } else { "for good" };
                write!(f, "the backend unsubscribes {} from {} {how}", name(p), channel(c))
            }
            Self::BackendDisconnect(p, back) => {
                let how = if back { "for a moment" } else { "for good" };
                write!(f, "the backend disconnects {} {how}", name(p))
            }
            Self::Cut(p) => write!(f, "the connection of {} breaks", name(p)),
            Self::Vanish(p) => write!(f, "the connection of {} breaks, and nobody notices", name(p)),
            Self::StopReading(p, ms) => write!(f, "{} reads nothing for {ms} ms", name(p)),
            Self::SlowBackend(shard, ms) => write!(f, "the backend of shard {shard} is slow for {ms} ms"),
            Self::Slow(shard, ms) => write!(f, "shard {shard} is slow for {ms} ms"),
            Self::Outage(shard, ms) => write!(f, "the broker of shard {shard} is out for {ms} ms"),
            Self::Forget(shard) => write!(f, "the broker of shard {shard} loses its memory"),
            Self::Crash(ms) => write!(f, "the node crashes, and is back after {ms} ms"),
            Self::Drain(ms) => write!(f, "the node drains, and is back {ms} ms after its end"),
            Self::WallJump(seconds) => write!(f, "the wall clock jumps by {seconds} s"),
        }
    }
}

//! What is due when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use spanwire_client_core::{ConnectionId, TokenFor};

use crate::chance::Chance;

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The act of this number in the plot.
    Act(usize),
    /// A shard has something to look at.
    Shard(usize),
    /// A person has something to look at.
    Person(usize),
    /// A connection that a person's client wants is opened, or refused.
    Dial(usize, ConnectionId),
    /// A token for a person's client is there.
    Token(usize, TokenFor),
    /// The node ends, drained or not.
    Down,
    /// The node begins again.
    Up,
    /// The backend's publish arrives at the owner of its channel.
    Call(usize, u64),
}

/// Things that are due, in the order of their times; among those of one millisecond, chance decides.
#[derive(Debug)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Reverse<(u64, u64, u64, Due)>>,
    chance: Chance,
    count: u64,
}

impl Agenda {
    pub(crate) fn new(seed: u64) -> Self {
        Self { heap: BinaryHeap::new(), chance: Chance::of(seed, "agenda", 0), count: 0 }
    }

    pub(crate) fn add(&mut self, at: u64, due: Due) {
        self.count += 1;
        self.heap.push(Reverse((at, self.chance.below(16), self.count, due)));
    }

    /// The next thing that is due by `until`.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(u64, Due)> {
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at > until {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, _, due))| (at, due))
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

/// When somebody is to be woken next: so that nobody is woken over and over for the same thing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alarm(Option<u64>);

impl Alarm {
    /// Whether a new entry in the agenda is needed for waking at this time.
    pub(crate) fn set(&mut self, at: u64) -> bool {
        let needed = self.0.is_none_or(|set| at < set);
        if needed {
            self.0 = Some(at);
        }
        needed
    }

    /// It rings.
    pub(crate) fn ring(&mut self, now: u64) {
        self.0.take_if(|set| *set <= now);
    }
}

//! Where a shard's letters wait: bounded as in the engine, and late as on no machine.

use std::collections::{BTreeMap, VecDeque};

use spanwire_hub::broker::Listener;
use spanwire_hub::channel::Channel;

use super::letter::Letter;
use crate::bug::{Bug, Saboteur};

/// Most bytes that wait before publications are dropped and publishes refused: little, so that it happens.
pub(super) const INBOX_BYTES_MAX: usize = 1500;

/// Letters by their senders and ways. Those of one sender and way come in their order, the others in any.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    lanes: BTreeMap<(Listener, Way), Lane>,
    bytes: usize,
    /// The latest dropped publication of each channel, which comes behind all others.
    holes: BTreeMap<Channel, Letter>,
    dropped: u64,
}

/// What keeps its order: letters of different ways overtake each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Everything, unless answers travel apart.
    Common,
    /// Answers of brokers.
    Answers,
    /// Answers of presence.
    Presence,
}

#[derive(Debug, Default)]
struct Lane {
    letters: VecDeque<(u64, Letter)>,
    latest: u64,
}

impl Inbox {
    /// Puts a letter in that can be read at `due`, if no earlier one of this sender is later.
    ///
    /// # Errors
    /// It is full, and the letter publishes.
    pub(super) fn put(
        &mut self,
        due: u64,
        (from, way): (Listener, Way),
        own: bool,
        letter: Letter,
        saboteur: &mut Saboteur,
    ) -> Result<(), Letter> {
        // What a shard says to itself never waits in a mailbox.
        if !own && (self.bytes > INBOX_BYTES_MAX || self.dropped > 0) {
            if letter.publishes() {
                return Err(letter);
            }
            if let Some((channel, _)) = letter.publication() {
                self.dropped += 1;
                if !saboteur.has(Bug::SilentOverflow) {
                    self.holes.insert(channel.clone(), letter);
                }
                return Ok(());
            }
        }
        self.bytes += letter.weight();
        let lane = self.lanes.entry((from, way)).or_default();
        lane.latest = lane.latest.max(due);
        lane.letters.push_back((lane.latest, letter));
        let swaps = lane.two_publications() && saboteur.strikes(Bug::SwappedPublications);
        if swaps && let [.., (_, before), (_, last)] = lane.letters.make_contiguous() {
            std::mem::swap(before, last);
        }
        Ok(())
    }

    /// The next letter that is due, and whose it is.
    pub(super) fn take(&mut self, now: u64) -> Option<(Listener, Letter)> {
        let ready = |(from, lane): (&(Listener, Way), &Lane)| {
            lane.letters.front().filter(|(due, _)| *due <= now).map(|(due, _)| (*due, *from))
        };
        if let Some((_, from)) = self.lanes.iter().filter_map(ready).min() {
            let (_, letter) = self.lanes.get_mut(&from)?.letters.pop_front()?;
            self.bytes -= letter.weight();
            return Some((from.0, letter));
        }
        // Answers that travel apart may come later still: a joiner then meets the hole before it knows where it is.
        let common =
            |(from, lane): (&(Listener, Way), &Lane)| from.1 != Way::Common || lane.letters.is_empty();
        if self.lanes.iter().all(common) {
            self.dropped = 0;
            return self.holes.pop_first().map(|(_, letter)| (Listener(0), letter));
        }
        None
    }

    /// When the next letter is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.lanes.values().filter_map(|lane| lane.letters.front()).map(|(due, _)| *due).min()
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.values().map(|lane| lane.letters.len()).sum::<usize>() + self.holes.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many publications were dropped since it was empty last.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Lane {
    fn two_publications(&self) -> bool {
        let mut last =
            self.letters.iter().rev().map(|(_, letter)| letter.publication().map(|(channel, _)| channel));
        match (last.next().flatten(), last.next().flatten()) {
            (Some(last), Some(before)) => last == before,
            _ => false,
        }
    }
}

//! What everybody who takes a turn has at hand.

use spanwire_hub::time::{Instant, Now};

use crate::agenda::{Agenda, Alarm, Due};
use crate::bug::Saboteur;
use crate::chance::Chance;
use crate::ledger::Ledger;
use crate::net::{LinkId, Net};
use crate::trace::Trace;

/// The world around those who act: time, chance, the network, and who keeps accounts.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Milliseconds since the run began.
    pub(crate) now: u64,
    /// How far the wall clock is from where it would be had it not jumped, in milliseconds.
    pub(crate) wall_offset: i64,
    pub(crate) agenda: Agenda,
    pub(crate) net: Net,
    pub(crate) ledger: Ledger,
    pub(crate) trace: Trace,
    pub(crate) saboteur: Saboteur,
    pub(crate) chance: Chance,
    pub(crate) shard_alarms: Vec<Alarm>,
    pub(crate) person_alarms: Vec<Alarm>,
}

/// Unix time at which every run begins, in milliseconds.
const DAWN: i64 = 1_800_000_000_000;

impl Scene {
    /// Both clocks, as the hub wants them.
    pub(crate) fn clocks(&self) -> Now {
        Now { at: Instant::from_millis(self.now), unix_ms: self.unix_ms() }
    }

    /// The wall clock, in milliseconds since 1970.
    pub(crate) fn unix_ms(&self) -> u64 {
        (DAWN + self.wall_offset).saturating_add_unsigned(self.now).unsigned_abs()
    }

    /// Something is due after a delay of chance.
    pub(crate) fn soon(&mut self, delay_max: u64, due: Due) {
        let at = self.now + 1 + self.chance.below(delay_max);
        self.agenda.add(at, due);
    }

    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        self.trace.say(self.now, line);
    }

    /// A shard is to take a turn.
    pub(crate) fn wake_shard(&mut self, shard: usize, at: u64) {
        let at = at.max(self.now);
        if self.shard_alarms[shard].set(at) {
            self.agenda.add(at, Due::Shard(shard));
        }
    }

    /// A person is to take a turn.
    pub(crate) fn wake_person(&mut self, person: usize, at: u64) {
        let at = at.max(self.now);
        if self.person_alarms[person].set(at) {
            self.agenda.add(at, Due::Person(person));
        }
    }

    /// The person's side of a link closes; the shard hears of it behind everything else.
    pub(crate) fn person_leaves(&mut self, id: LinkId) {
        let Some(link) = self.net.links.get_mut(&id) else { return };
        link.person_left = true;
        link.up.finish(self.now);
        let (shard, arrival) = (link.shard, link.up.next_arrival());
        if link.shard_left {
            self.net.links.remove(&id);
        } else if let Some(at) = arrival {
            self.wake_shard(shard, at);
        }
    }

    /// The shard's side of a link closes; the person hears of it behind everything else.
    pub(crate) fn shard_leaves(&mut self, id: LinkId) {
        let Some(link) = self.net.links.get_mut(&id) else { return };
        link.shard_left = true;
        link.down.finish(self.now);
        let (person, arrival) = (link.person, link.down.next_arrival());
        if link.person_left {
            self.net.links.remove(&id);
        } else if let Some(at) = arrival {
            self.wake_person(person, at);
        }
    }
}

//! One timing wheel for all sessions of a shard: a deadline costs its session a few bytes and no timer.

use crate::time::Instant;

/// Deadlines are kept to this precision: they come up to this much late, never early.
const TICK: u64 = 64;
/// Ticks in one turn of the wheel; what is due later than that stays in the last slot and is put back when it comes up.
const SLOTS: u64 = 1024;
/// No session: the end of a list, or a place that is in none.
const NONE: u32 = u32::MAX;

/// At most one deadline for each of many sessions, named by their index.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The first session of each slot's list.
    heads: Box<[u32]>,
    /// One bit per slot that is not empty.
    occupied: [u64; (SLOTS / 64) as usize],
    /// Where each session is.
    links: Vec<Link>,
    /// The tick up to which everything has come up.
    tick: u64,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    due: Instant,
    previous: u32,
    next: u32,
    /// The slot, or [`NONE`].
    slot: u32,
}

const UNLINKED: Link = Link { due: Instant::from_millis(0), previous: NONE, next: NONE, slot: NONE };

impl Wheel {
    pub(crate) fn new() -> Self {
        let heads = vec![NONE; SLOTS as usize].into_boxed_slice();
        Self { heads, occupied: [0; (SLOTS / 64) as usize], links: Vec::new(), tick: 0 }
    }

    /// Sets the deadline of a session, in place of the one it had.
    pub(crate) fn set(&mut self, session: u32, due: Instant) {
        let index = session as usize;
        if index >= self.links.len() {
            self.links.resize(index + 1, UNLINKED);
        }
        if self.links[index].slot != NONE {
            if self.links[index].due == due {
                return;
            }
            self.unlink(session);
        }
        let tick = due.as_millis().div_ceil(TICK).clamp(self.tick + 1, self.tick + SLOTS - 1);
        self.link(session, due, (tick % SLOTS) as u32);
    }

    /// The session has no deadline any more.
    pub(crate) fn cancel(&mut self, session: u32) {
        if self.links.get(session as usize).is_some_and(|link| link.slot != NONE) {
            self.unlink(session);
        }
    }

    /// A session whose deadline has come; it has none now.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        let last = now.as_millis() / TICK;
        // However long nobody looked, one turn of the wheel finds everything.
        self.tick = self.tick.max(last.saturating_sub(SLOTS - 1));
        while self.tick < last || self.heads[(self.tick % SLOTS) as usize] != NONE {
            let slot = self.tick % SLOTS;
            let session = self.heads[slot as usize];
            if session == NONE {
                self.tick = self.next_occupied().map_or(last, |tick| tick.min(last));
                if self.heads[(self.tick % SLOTS) as usize] == NONE {
                    return None;
                }
                continue;
            }
            let due = self.links[session as usize].due;
            self.unlink(session);
            if due <= now {
                return Some(session);
            }
            self.set(session, due);
        }
        None
    }

    /// When [`pop_due`](Self::pop_due) may have something: never later than the earliest deadline plus one tick.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        if self.heads[(self.tick % SLOTS) as usize] != NONE {
            return Some(Instant::from_millis(self.tick * TICK));
        }
        self.next_occupied().map(|tick| Instant::from_millis(tick * TICK))
    }

    /// The next tick after the current one whose slot is not empty.
    fn next_occupied(&self) -> Option<u64> {
        let start = self.tick + 1;
        let mut tick = start;
        while tick < start + SLOTS {
            let slot = tick % SLOTS;
            let ahead = self.occupied[(slot / 64) as usize] >> (slot % 64);
            if ahead != 0 {
                return Some(tick + u64::from(ahead.trailing_zeros()));
            }
            tick += 64 - slot % 64;
        }
        None
    }

    fn link(&mut self, session: u32, due: Instant, slot: u32) {
        let next = self.heads[slot as usize];
        self.links[session as usize] = Link { due, previous: NONE, next, slot };
        if next != NONE {
            self.links[next as usize].previous = session;
        }
        self.heads[slot as usize] = session;
        self.occupied[slot as usize / 64] |= 1 << (slot % 64);
    }

    fn unlink(&mut self, session: u32) {
        let Link { previous, next, slot, .. } =
            std::mem::replace(&mut self.links[session as usize], UNLINKED);
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
            return;
        }
        self.heads[slot as usize] = next;
        if next == NONE {
            self.occupied[slot as usize / 64] &= !(1 << (slot % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_clock_that_leaps_by_ages_is_caught_up_with_in_one_turn_of_the_wheel() {
        let mut wheel = Wheel::new();
        let now = u64::MAX / 4;
        for (session, due) in [(0, now), (1, now + TICK), (2, u64::MAX / 2)] {
            wheel.set(session, Instant::from_millis(due));
        }
        assert_eq!(wheel.pop_due(Instant::from_millis(now)), Some(0));
        assert_eq!(wheel.pop_due(Instant::from_millis(now)), None);
        let next = wheel.next_due().map(Instant::as_millis);
        assert!(next.is_some_and(|next| (now..=now + 2 * TICK).contains(&next)), "{next:?}");
        assert_eq!(wheel.pop_due(Instant::from_millis(now + 2 * TICK)), Some(1));
        assert_eq!(wheel.pop_due(Instant::from_millis(now + 2 * TICK)), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u64),
        Cancel(u32),
        Pass(u64),
        Leap,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..40u32, prop_oneof![0..500u64, 0..200_000u64]).prop_map(|(session, delay)| Step::Set(session, delay)),
            1 => (0..40u32).prop_map(Step::Cancel),
            4 => (0..3000u64).prop_map(Step::Pass),
            1 => Just(Step::Leap),
        ]
    }

    proptest! {
        #[test]
        fn every_deadline_comes_up_once_and_neither_early_nor_more_than_a_tick_late(steps in prop::collection::vec(step(), 1..200)) {
            let mut wheel = Wheel::new();
            let mut model = BTreeMap::new();
            let mut now = 1_000;
            for step in steps {
                match step {
                    Step::Set(session, delay) => {
                        wheel.set(session, Instant::from_millis(now + delay));
                        model.insert(session, now + delay);
                    }
                    Step::Cancel(session) => {
                        wheel.cancel(session);
                        model.remove(&session);
                    }
                    Step::Pass(millis) => now += millis,
                    Step::Leap => now = wheel.next_due().map_or(now, |due| due.as_millis().max(now)),
                }
                while let Some(session) = wheel.pop_due(Instant::from_millis(now)) {
                    let due = model.remove(&session);
                    prop_assert!(due.is_some_and(|due| due <= now), "{session} came up early or twice");
                }
                let late = model.values().find(|due| **due + 2 * TICK <= now);
                prop_assert_eq!(late, None);
                let next = wheel.next_due();
                prop_assert_eq!(next.is_some(), !model.is_empty());
                if let (Some(next), Some(first)) = (next, model.values().min()) {
                    prop_assert!(next.as_millis() <= first.max(&now) + 2 * TICK);
                }
            }
        }
    }
}

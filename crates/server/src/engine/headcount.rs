//! How many there are of each kind, up to a limit: connections of an address, or of a user.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Into how many parts the count is split, so that shards seldom wait for each other. They ask once in a
/// connection's life.
const PARTS: usize = 16;

/// Counts under keys. There is an entry for each key of which there is something, and none for others: its memory is
/// bounded by what it counts, with about thirty bytes for each.
#[derive(Debug)]
pub(crate) struct Headcount {
    /// Most under one key; 0 counts nothing.
    limit: usize,
    /// Keys that strangers choose are hashed with a secret, and only the hash is kept.
    secret: RandomState,
    parts: [Mutex<HashMap<u64, u32>>; PARTS],
}

impl Headcount {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, secret: RandomState::new(), parts: Default::default() }
    }

    /// Whether anything is counted at all.
    pub(crate) fn is_on(&self) -> bool {
        self.limit > 0
    }

    /// One more under this key, unless there are as many as may be. [`leave`](Self::leave) takes it back.
    pub(crate) fn enter(&self, key: impl Hash) -> bool {
        let hash = self.secret.hash_one(key);
        let mut part = self.part(hash);
        let count = part.entry(hash).or_default();
        let room = (*count as usize) < self.limit;
        *count += u32::from(room);
        if *count == 0 {
            part.remove(&hash);
        }
        room
    }

    /// One less under this key.
    pub(crate) fn leave(&self, key: impl Hash) {
        let hash = self.secret.hash_one(key);
        if let Entry::Occupied(mut count) = self.part(hash).entry(hash) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn part(&self, hash: u64) -> MutexGuard<'_, HashMap<u64, u32>> {
        self.parts[hash as usize % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_count_and_nothing_is_left_of_those_who_have_gone() {
        let count = Headcount::new(2);
        assert!(count.enter("ann") && count.enter("ann") && count.enter("bob"));
        assert!(!count.enter("ann"), "there are two");
        count.leave("ann");
        assert!(count.enter("ann"));
        for name in ["ann", "ann", "bob"] {
            count.leave(name);
        }
        assert!(count.parts.iter().all(|part| part.lock().unwrap().is_empty()));
    }

    #[test]
    fn to_refuse_costs_no_entry() {
        let nothing = Headcount::new(0);
        assert!(!nothing.is_on() && !nothing.enter("ann"));
        assert!(nothing.parts.iter().all(|part| part.lock().unwrap().is_empty()));
    }
}

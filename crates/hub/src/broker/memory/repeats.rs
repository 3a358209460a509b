//! Which publishes have been done already.

use std::collections::VecDeque;

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::channel::Position;
use crate::time::Instant;

/// The idempotency keys of one channel's latest publishes, and the position that each was answered with.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    answered: HashMap<Bytes, Option<Position>, RandomState>,
    /// Oldest first. All live equally long, so this is also the order in which they end.
    order: VecDeque<(Instant, Bytes)>,
    /// What the keys cost.
    bytes: usize,
}

impl Repeats {
    /// What one key costs beyond its own bytes: its places in the table and in the queue, and the position.
    const KEY_BYTES: usize = 160;
    /// What the table, the queue and the record of a channel cost that has nothing else.
    const CHANNEL_BYTES: usize = 640;

    /// What the publish with this key was answered, if it is remembered.
    pub(super) fn answered(&self, key: &[u8]) -> Option<&Option<Position>> {
        self.answered.get(key)
    }

    /// Remembers a publish whose key is not known yet, and forgets the oldest beyond `keys_max`.
    pub(super) fn remember(
        &mut self,
        key: &[u8],
        position: Option<Position>,
        until: Instant,
        keys_max: usize,
    ) {
        // A copy, because a slice would keep the whole frame alive that it came in.
        let key = Bytes::copy_from_slice(key);
        self.bytes += Self::cost(&key);
        self.order.push_back((until, key.clone()));
        self.answered.insert(key, position);
        while self.order.len() > keys_max {
            self.forget_oldest();
        }
    }

    /// Forgets the oldest key.
    pub(super) fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.bytes -= Self::cost(&key);
            self.answered.remove(&key);
        }
    }

    /// Forgets what is too old; returns how many that were.
    pub(super) fn lapse(&mut self, at: Instant) -> usize {
        let before = self.order.len();
        while self.ends_at().is_some_and(|end| end <= at) {
            self.forget_oldest();
        }
        before - self.order.len()
    }

    /// When the oldest key ends; `None` if there is none.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    /// What all keys cost, together with the tables that they are in.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + Self::CHANNEL_BYTES
    }

    fn cost(key: &Bytes) -> usize {
        key.len() + Self::KEY_BYTES
    }
}

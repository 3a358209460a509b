//! What is held back for a while, because it may be undone.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// When a value is let go, and which of those it is that are let go at the same time.
type Due = (Instant, u64);

/// Values that are held back by key, each for the same time. Time is passed in.
#[derive(Debug)]
pub(super) struct Grace<K, V> {
    length: Duration,
    /// Most that are held back; when there are more, the oldest are let go before their time.
    held_max: usize,
    agenda: BTreeMap<Due, K>,
    held: HashMap<K, VecDeque<(Due, V)>>,
    count: u64,
}

impl<K: Clone + Eq + Hash, V> Grace<K, V> {
    pub(super) fn new(length: Duration, held_max: usize) -> Self {
        Self { length, held_max, agenda: BTreeMap::new(), held: HashMap::new(), count: 0 }
    }

    /// Whether anything is held back at all.
    pub(super) fn is_on(&self) -> bool {
        !self.length.is_zero()
    }

    /// Holds a value back.
    pub(super) fn hold(&mut self, now: Instant, key: K, value: V) {
        let due = (now + self.length, self.count);
        self.count += 1;
        self.agenda.insert(due, key.clone());
        self.held.entry(key).or_default().push_back((due, value));
    }

    /// Takes back what is held for a key; if that is several, the oldest.
    pub(super) fn take_back<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let values = self.held.get_mut(key)?;
        let (due, value) = values.pop_front()?;
        if values.is_empty() {
            self.held.remove(key);
        }
        self.agenda.remove(&due);
        Some(value)
    }

    /// The next value whose time is over, or that is one too many.
    pub(super) fn let_go(&mut self, now: Instant) -> Option<V> {
        let ((due, _), _) = self.agenda.first_key_value()?;
        if *due > now && self.agenda.len() <= self.held_max {
            return None;
        }
        self.let_go_early()
    }

    /// The value whose time is over next.
    pub(super) fn let_go_early(&mut self) -> Option<V> {
        let (_, key) = self.agenda.pop_first()?;
        // Values of one key are let go in the order in which they came, so that the first one is it.
        let values = self.held.get_mut(&key)?;
        let (_, value) = values.pop_front()?;
        if values.is_empty() {
            self.held.remove(&key);
        }
        Some(value)
    }

    /// When the next one is let go.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.agenda.first_key_value().map(|((due, _), _)| *due)
    }

    /// How many are held back.
    pub(super) fn len(&self) -> usize {
        self.agenda.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_back_in_its_time_is_let_go_in_order() {
        let (mut grace, dawn) = (Grace::new(Duration::from_secs(5), 10), Instant::now());
        for (second, key, value) in [(0, "ann", 1), (1, "bob", 2), (2, "ann", 3)] {
            grace.hold(dawn + Duration::from_secs(second), key, value);
        }
        assert_eq!(grace.take_back("ann"), Some(1), "the oldest of a key");
        assert_eq!(grace.next_due(), Some(dawn + Duration::from_secs(6)));
        assert_eq!(grace.let_go(dawn + Duration::from_millis(5999)), None);
        assert_eq!(grace.let_go(dawn + Duration::from_secs(6)), Some(2));
        assert_eq!(grace.let_go(dawn + Duration::from_secs(6)), None);
        assert_eq!(grace.take_back("bob"), None, "too late");
        assert_eq!((grace.let_go_early(), grace.let_go_early(), grace.len()), (Some(3), None, 0));
        assert!(grace.held.is_empty());
    }

    #[test]
    fn more_than_may_be_held_back_are_let_go_before_their_time() {
        let (mut grace, dawn) = (Grace::new(Duration::from_secs(5), 2), Instant::now());
        for number in 0..4 {
            grace.hold(dawn, number, number);
        }
        assert_eq!((grace.let_go(dawn), grace.let_go(dawn), grace.let_go(dawn)), (Some(0), Some(1), None));
    }
}

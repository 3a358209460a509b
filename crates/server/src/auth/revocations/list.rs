//! A bounded list whose entries end.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values under keys, each until a moment, and no more than so many.
#[derive(Debug)]
pub(super) struct List<K, V> {
    entries: HashMap<K, Entry<V>>,
    entries_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    /// Unix seconds; `None` is never.
    until: Option<u64>,
}

/// The list has as many entries as it may, and the time of none is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list is full: give entries an earlier expire_at")]
pub struct ListFull;

impl<K: Eq + Hash, V> List<K, V> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self { entries: HashMap::new(), entries_max }
    }

    /// Puts an entry in, or replaces the one of this key.
    pub(super) fn put(&mut self, now: u64, key: K, value: V, until: Option<u64>) -> Result<(), ListFull> {
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(&key) {
            self.entries.retain(|_, entry| entry.holds(now));
            if self.entries.len() >= self.entries_max {
                return Err(ListFull);
            }
        }
        self.entries.insert(key, Entry { value, until });
        Ok(())
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key);
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, now: u64, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).filter(|entry| entry.holds(now)).map(|entry| &entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<V> Entry<V> {
    fn holds(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_makes_room_of_what_is_over_and_of_nothing_else() {
        let mut list = List::new(2);
        list.put(0, "brief", (), Some(10)).unwrap();
        list.put(0, "long", (), None).unwrap();
        assert_eq!(list.put(9, "third", (), None), Err(ListFull));
        list.put(9, "brief", (), Some(11)).unwrap();
        assert_eq!(list.put(10, "third", (), None), Err(ListFull), "it was prolonged");
        list.put(11, "third", (), None).unwrap();
        assert_eq!((list.get(11, "brief"), list.get(11, "long"), list.len()), (None, Some(&()), 2));
    }
}

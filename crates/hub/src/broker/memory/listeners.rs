//! The listeners of a channel, and how many subscribers each of them has.

use std::num::NonZeroU32;

use crate::broker::{BrokerError, Listener};

/// Every channel has such a set, and every publication walks through one. Most channels have one listener, for which
/// nothing is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listeners {
    /// At most one: nobody, if it has no subscribers. A variant for nobody would cost every channel another word.
    One(Count),
    /// At least two, in the order of their numbers.
    Several(Box<[Count]>),
}

/// How many subscribers a listener has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    listener: Listener,
    subscribers: u32,
}

impl Default for Listeners {
    fn default() -> Self {
        Self::One(Count { listener: Listener(0), subscribers: 0 })
    }
}

impl Listeners {
    /// Listeners have numbers below this: a node has as many as it has shards.
    pub(super) const MAX: u16 = 128;

    pub(super) fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }

    /// Counts one more subscriber of a listener.
    ///
    /// # Errors
    /// [`BrokerError::Full`] if there are as many as there may be, [`BrokerError::Unavailable`] if the listener's number
    /// is too large, or its subscribers could not be counted.
    pub(super) fn add(&mut self, listener: Listener, most: Option<NonZeroU32>) -> Result<(), BrokerError> {
        if most.is_some_and(|most| self.subscribers() >= u64::from(most.get())) {
            return Err(BrokerError::Full);
        }
        match self.count_mut(listener) {
            Some(count) => {
                count.subscribers = count.subscribers.checked_add(1).ok_or(BrokerError::Unavailable)?;
            }
            None if listener.0 < Self::MAX => self.insert(Count { listener, subscribers: 1 }),
            None => return Err(BrokerError::Unavailable),
        }
        Ok(())
    }

    /// Takes one subscriber of a listener away. Whether it had one.
    pub(super) fn remove(&mut self, listener: Listener) -> bool {
        let Some(count) = self.count_mut(listener) else { return false };
        count.subscribers -= 1;
        if count.subscribers == 0 {
            self.forget(listener);
        }
        true
    }

    /// The listeners, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = Listener> {
        self.counts().iter().map(|count| count.listener)
    }

    fn subscribers(&self) -> u64 {
        self.counts().iter().map(|count| u64::from(count.subscribers)).sum()
    }

    fn counts(&self) -> &[Count] {
        match self {
            Self::One(Count { subscribers: 0, .. }) => &[],
            Self::One(count) => std::slice::from_ref(count),
            Self::Several(counts) => counts,
        }
    }

    fn count_mut(&mut self, listener: Listener) -> Option<&mut Count> {
        let counts = match self {
            Self::One(Count { subscribers: 0, .. }) => return None,
            Self::One(count) => std::slice::from_mut(count),
            Self::Several(counts) => counts,
        };
        counts.iter_mut().find(|count| count.listener == listener)
    }

    fn insert(&mut self, count: Count) {
        let before = self.counts().iter().filter(|other| other.listener < count.listener);
        let behind = self.counts().iter().filter(|other| other.listener > count.listener);
        *self = Self::of(before.chain([&count]).chain(behind).copied().collect());
    }

    fn forget(&mut self, listener: Listener) {
        *self = Self::of(self.counts().iter().filter(|count| count.listener != listener).copied().collect());
    }

    fn of(counts: Box<[Count]>) -> Self {
        match *counts {
            [] => Self::default(),
            [count] => Self::One(count),
            _ => Self::Several(counts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_each_listener_once_in_order_and_none_beyond_its_size() {
        let mut set = Listeners::default();
        for (number, taken) in
            [(127, true), (3, true), (0, true), (3, true), (64, true), (128, false), (u16::MAX, false)]
        {
            assert_eq!(set.add(Listener(number), None).is_ok(), taken, "{number}");
        }
        let numbers = |set: &Listeners| set.iter().map(|listener| listener.0).collect::<Vec<_>>();
        assert_eq!(numbers(&set), [0, 3, 64, 127]);
        assert!(set.remove(Listener(64)));
        assert!(!set.remove(Listener(64)) && !set.remove(Listener(128)));
        assert!(set.remove(Listener(3)));
        assert_eq!(numbers(&set), [0, 3, 127], "one subscriber of 3 is left");
        for number in [0, 3, 127] {
            assert!(!set.is_empty());
            assert!(set.remove(Listener(number)));
        }
        assert!(set.is_empty());
    }

    #[test]
    fn subscribers_are_counted_over_all_listeners() {
        let mut set = Listeners::default();
        let most = NonZeroU32::new(3);
        for number in [0, 1, 0] {
            assert_eq!(set.add(Listener(number), most), Ok(()));
        }
        assert_eq!(set.add(Listener(2), most), Err(BrokerError::Full));
        assert_eq!(set.add(Listener(2), None), Ok(()), "who knows no limit comes in");
        assert_eq!(set.add(Listener(0), most), Err(BrokerError::Full));
        assert!(set.remove(Listener(0)));
        assert_eq!(set.add(Listener(1), most), Err(BrokerError::Full), "there is still one too many");
        assert!(set.remove(Listener(2)));
        assert_eq!(set.add(Listener(1), most), Ok(()));
    }

    #[test]
    fn a_channel_with_one_listener_pays_no_more_than_two_words_for_it() {
        assert_eq!(size_of::<Listeners>(), 2 * size_of::<usize>());
    }
}

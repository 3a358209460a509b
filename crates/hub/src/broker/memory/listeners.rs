//! The listeners of a channel.

use crate::broker::Listener;

/// A set of listeners: one bit each, because every channel has such a set and every publication walks through one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listeners(u128);

impl Listeners {
    /// Listeners have numbers below this: a node has as many as it has shards.
    pub(super) const MAX: u16 = 128;

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the listener is now in the set; it is not if its number is too large.
    pub(super) fn insert(&mut self, listener: Listener) -> bool {
        let bit = Self::bit(listener);
        self.0 |= bit;
        bit != 0
    }

    pub(super) fn remove(&mut self, listener: Listener) {
        self.0 &= !Self::bit(listener);
    }

    /// The listeners, in the order of their numbers.
    pub(super) fn iter(self) -> impl Iterator<Item = Listener> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| Listener(rest.trailing_zeros() as u16));
            rest &= rest.wrapping_sub(1);
            next
        })
    }

    fn bit(listener: Listener) -> u128 {
        1u128.checked_shl(listener.0.into()).unwrap_or(0)
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
            assert_eq!(set.insert(Listener(number)), taken, "{number}");
        }
        assert_eq!(set.iter().map(|listener| listener.0).collect::<Vec<_>>(), [0, 3, 64, 127]);
        set.remove(Listener(64));
        set.remove(Listener(128));
        assert_eq!(set.iter().map(|listener| listener.0).collect::<Vec<_>>(), [0, 3, 127]);
        for number in [0, 3, 127] {
            assert!(!set.is_empty());
            set.remove(Listener(number));
        }
        assert!(set.is_empty());
    }
}

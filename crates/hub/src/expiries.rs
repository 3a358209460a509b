//! How many connections and subscriptions end when, so that nobody has to look at each of them.
//!
//! Counted by second, for those alone that expire: what lives without an end costs nothing here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound::{Excluded, Included};
use std::time::Duration;

use crate::time::Instant;

/// How long before its expiry something is about to expire.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// How many there are of what expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiring {
    /// Those that have expired and live by the delay that they have for being prolonged
    /// (`expired_close_delay`, `expired_sub_close_delay`).
    pub overdue: usize,
    /// Those that expire within the next minute.
    pub soon: usize,
}

/// When those of one kind end: the delay behind their expiry.
#[derive(Debug, Default)]
pub(crate) struct Expiries(BTreeMap<u64, usize>);

impl Expiries {
    /// One that was to end at `before` is to end at `after`; `None` is never, and gone.
    pub(crate) fn moves(&mut self, before: Option<Instant>, after: Option<Instant>) {
        if let Some(Entry::Occupied(mut count)) = before.map(|at| self.0.entry(second(at))) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if let Some(at) = after.map(second) {
            *self.0.entry(at).or_default() += 1;
        }
    }

    /// How they stand, if they end so long behind their expiry.
    pub(crate) fn count(&self, now: Instant, delay: Duration) -> Expiring {
        let (due, soon) = (second(now + delay), second(now + delay + SOON));
        let (overdue, soon) = (self.0.range(..=due), self.0.range((Excluded(due), Included(soon))));
        Expiring { overdue: overdue.map(|(_, count)| count).sum(), soon: soon.map(|(_, count)| count).sum() }
    }
}

fn second(at: Instant) -> u64 {
    at.as_millis() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(25);

    fn at(seconds: u64) -> Option<Instant> {
        Some(Instant::from_millis(seconds * 1000))
    }

    #[test]
    fn what_ends_is_counted_by_how_far_its_expiry_is() {
        let mut expiries = Expiries::default();
        let now = Instant::from_millis(100_000);
        // They end 25 seconds behind their expiry.
        for end in [101, 125, 126, 185, 186, 900] {
            expiries.moves(None, at(end));
        }
        assert_eq!(expiries.count(now, DELAY), Expiring { overdue: 2, soon: 2 });
        assert_eq!(expiries.count(now + Duration::from_secs(1), DELAY), Expiring { overdue: 3, soon: 2 });
    }

    #[test]
    fn what_is_prolonged_or_gone_is_counted_where_it_is_now_and_leaves_nothing() {
        let mut expiries = Expiries::default();
        let now = Instant::from_millis(100_000);
        expiries.moves(None, at(110));
        expiries.moves(None, at(110));
        expiries.moves(at(110), at(130));
        assert_eq!(expiries.count(now, DELAY), Expiring { overdue: 1, soon: 1 });
        expiries.moves(at(130), None);
        expiries.moves(at(110), None);
        assert!(expiries.0.is_empty());
    }
}

//! How often something may happen in a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Block;

const SECOND: Duration = Duration::from_secs(1);

/// Most addresses whose attempts are counted at a time. Those beyond are bounded by the rate of the whole node.
const ADDRESSES_MAX: usize = 1 << 16;

/// Lets so many through in a second; what was not used is there for the next burst, for one second's worth.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: u32,
    /// When the last one would be let through if all came evenly spaced: the leaky bucket as one moment.
    due: Mutex<Option<Instant>>,
}

impl Rate {
    /// 0 lets all through.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, due: Mutex::new(None) }
    }

    /// Whether one more may pass.
    pub(super) fn allows(&self, now: Instant) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let next = due.map_or(now, |due| due.max(now)) + SECOND / self.per_second;
        let allowed = next <= now + SECOND;
        if allowed {
            *due = Some(next);
        }
        allowed
    }
}

/// Lets so many through in a second for each address.
///
/// A second is counted at a time, and then all is forgotten: that is coarser than a bucket for each, and costs nothing
/// for those who have gone.
#[derive(Debug)]
pub(super) struct AddressRates {
    per_second: u32,
    window: Mutex<Option<Window>>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    counts: HashMap<Block, u32>,
}

impl AddressRates {
    /// 0 lets all through.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, window: Mutex::new(None) }
    }

    /// Whether one more of this address may pass.
    pub(super) fn allows(&self, now: Instant, address: Block) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let window = match &mut *window {
            Some(window) if now < window.ends => window,
            over => over.insert(Window { ends: now + SECOND, counts: HashMap::new() }),
        };
        if window.counts.len() >= ADDRESSES_MAX && !window.counts.contains_key(&address) {
            return true;
        }
        let count = window.counts.entry(address).or_default();
        *count = count.saturating_add(1);
        *count <= self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u32) -> Block {
        Block::of(std::net::Ipv4Addr::from_bits(0x2000_0000 + number).into()).unwrap()
    }

    fn passed(rate: &Rate, now: Instant, attempts: usize) -> usize {
        (0..attempts).filter(|_| rate.allows(now)).count()
    }

    #[test]
    fn a_burst_of_one_second_passes_and_then_the_rate() {
        let (rate, start) = (Rate::new(10), Instant::now());
        assert_eq!(passed(&rate, start, 100), 10);
        assert_eq!(passed(&rate, start + SECOND / 2, 100), 5);
        assert_eq!(passed(&rate, start + 60 * SECOND, 100), 10, "no more than one second is saved up");
        assert_eq!(passed(&Rate::new(0), start, 100), 100);
    }

    #[test]
    fn each_address_has_a_rate_of_its_own() {
        let (rates, start) = (AddressRates::new(2), Instant::now());
        let allowed = |now, number| (0..5).filter(|_| rates.allows(now, block(number))).count();
        assert_eq!((allowed(start, 1), allowed(start, 2)), (2, 2));
        assert_eq!(allowed(start + SECOND / 2, 1), 0);
        assert_eq!(allowed(start + SECOND, 1), 2);
    }

    #[test]
    fn a_crowd_of_addresses_is_not_kept_for_ever() {
        let (rates, start) = (AddressRates::new(1), Instant::now());
        for number in 0..2 * ADDRESSES_MAX as u32 {
            assert!(rates.allows(start, block(number)));
        }
        let kept =
            |rates: &AddressRates| rates.window.lock().unwrap().as_ref().map(|window| window.counts.len());
        assert_eq!(kept(&rates), Some(ADDRESSES_MAX));
        assert!(rates.allows(start + SECOND, block(0)));
        assert_eq!(kept(&rates), Some(1));
    }
}

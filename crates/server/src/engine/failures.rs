//! How often tokens were refused, by address: a flood of bad ones costs a bounded share of the CPU.
//!
//! To verify a signature is the dearest thing that a stranger with a WebSocket can ask for, and whether a token is worth
//! it shows only afterwards. So what is counted are failures; whose address has had enough of them is told to come again
//! later, before anything is verified.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spanwire_hub::rate::{Bucket, Rate};
use spanwire_hub::time::Instant;

use super::Block;

/// Most addresses whose failures are counted at a time. Those beyond are bounded by the rate of all new clients.
const ADDRESSES_MAX: usize = 1 << 16;

/// How often addresses that owe nothing any more are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The failures of a node. Time is passed in.
#[derive(Debug)]
pub(super) struct Failures {
    rate: Rate,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    addresses: HashMap<Block, Bucket>,
    swept_at: Option<Instant>,
}

impl Failures {
    /// Of one address of the public Internet, so many may be verified; [`Rate::NONE`] is any number.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, counts: Mutex::default() }
    }

    /// After what time a token that comes from this address may be verified; `None` if it may be now.
    pub(super) fn wait(&self, now: Instant, address: IpAddr) -> Option<Duration> {
        let block = Block::of(address).filter(|_| self.rate.is_limited())?;
        self.lock().addresses.get(&block)?.wait(now, self.rate)
    }

    /// A token that came from this address was refused.
    pub(super) fn count(&self, now: Instant, address: IpAddr) {
        let Some(block) = Block::of(address).filter(|_| self.rate.is_limited()) else { return };
        let mut counts = self.lock();
        counts.sweep(now);
        if counts.addresses.len() < ADDRESSES_MAX || counts.addresses.contains_key(&block) {
            counts.addresses.entry(block).or_default().take(now, self.rate, 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Forgets who owes nothing any more, once in a while: a full table is not to be searched for each failure.
    fn sweep(&mut self, now: Instant) {
        if self.swept_at.is_none_or(|at| at + SWEEP_INTERVAL <= now) {
            self.addresses.retain(|_, bucket| !bucket.is_full(now));
            self.swept_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(1_000_000);
    const WINDOW: Duration = Duration::from_secs(5);

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x2000_0000 + number).into()
    }

    fn failures(per_second: u32) -> Failures {
        Failures::new(Rate::new(per_second, WINDOW))
    }

    /// How many of these attempts are verified, all of which fail.
    fn verified(failures: &Failures, now: Instant, address: IpAddr, attempts: usize) -> usize {
        let is_verified = |_: &usize| {
            let may = failures.wait(now, address).is_none();
            if may {
                failures.count(now, address);
            }
            may
        };
        (0..attempts).filter(is_verified).count()
    }

    #[test]
    fn an_address_that_fails_too_often_waits_and_others_do_not() {
        let failures = failures(2);
        assert_eq!(verified(&failures, START, address(1), 100), 10);
        let wait = failures.wait(START, address(1)).expect("it was enough");
        assert_eq!(failures.wait(START + wait, address(1)), None);
        assert_eq!(failures.wait(START, address(2)), None);
        assert_eq!(verified(&failures, START + WINDOW, address(1), 100), 10);
    }

    #[test]
    fn addresses_of_one_network_count_together_and_those_of_this_machine_never() {
        let failures = failures(2);
        let [one, other, elsewhere] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|address| address.parse().unwrap());
        assert_eq!(verified(&failures, START, one, 100), 10);
        assert!(failures.wait(START, other).is_some());
        assert_eq!(failures.wait(START, elsewhere), None);
        assert_eq!(verified(&failures, START, IpAddr::from([127, 0, 0, 1]), 100), 100);
    }

    #[test]
    fn what_is_kept_of_a_crowd_is_bounded_and_forgotten_when_it_is_paid_back() {
        let failures = failures(10);
        for number in 0..2 * ADDRESSES_MAX as u32 {
            assert_eq!(verified(&failures, START, address(number), 1), 1);
        }
        assert_eq!(failures.lock().addresses.len(), ADDRESSES_MAX);
        failures.count(START + WINDOW, address(1));
        assert_eq!(failures.lock().addresses.len(), 1, "the others have paid");
    }

    #[test]
    fn without_a_rate_nothing_is_kept() {
        let failures = failures(0);
        assert_eq!(verified(&failures, START, address(1), 1000), 1000);
        assert!(failures.lock().addresses.is_empty());
    }
}

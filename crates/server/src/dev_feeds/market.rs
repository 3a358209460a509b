//! A market of shares that do not exist. Its prices walk by chance from a seed that is always the same, so that whoever
//! listens from the beginning hears the same series on every server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::book;

/// How many shares there are.
const SHARES: usize = 200;

/// Each batch has the prices of every other share.
const BATCHES_PER_ROUND: usize = 2;

/// How often there is a batch: 20 times a second, which makes 2,000 prices.
pub(super) const PERIOD: Duration = Duration::from_millis(50);

/// How many batches there are for each book: books are shown 4 times a second.
const BATCHES_PER_BOOK: u64 = 5;

const SEED: u64 = 1729;

/// Prices are cents, and stay between these.
const PRICE_MIN: i32 = 500;
const PRICE_MAX: i32 = 99_900;

/// All shares, and the number of the batch that told of them last.
pub(super) struct Market {
    chance: StdRng,
    number: u64,
    prices: [i32; SHARES],
    /// How far a price moves at most in one step, in ten-thousandths.
    unrest: [i32; SHARES],
}

impl Default for Market {
    fn default() -> Self {
        let mut chance = StdRng::seed_from_u64(SEED);
        let prices = std::array::from_fn(|_| chance.random_range(2_000..60_000));
        let unrest = std::array::from_fn(|_| chance.random_range(4..40));
        Self { chance, number: 0, prices, unrest }
    }
}

impl Market {
    /// The next batch: `n` is its number, `at` the time in Unix milliseconds, `p` the new prices of the shares whose index
    /// leaves the same rest by two as `n`, in order, and `sum` the [checksum](Self::checksum) of all prices after it.
    pub(super) fn next(&mut self, now: SystemTime) -> String {
        self.number += 1;
        let first = usize::from(self.number % 2 == 1);
        let at = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let mut text = format!(r#"{{"n":{},"at":{at},"p":["#, self.number);
        for share in (first..SHARES).step_by(BATCHES_PER_ROUND) {
            self.step(share);
            let comma = if share == first { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(text, "{comma}{}", self.prices[share]);
        }
        let _ = write!(text, r#"],"sum":{}}}"#, self.checksum());
        text
    }

    /// The tag of the latest batch: which half of the shares it is about. Whoever has the latest of each half has all prices.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("half".to_owned(), (self.number % 2).to_string())])
    }

    /// Whether it is time for books.
    pub(super) fn shows_books(&self) -> bool {
        self.number.is_multiple_of(BATCHES_PER_BOOK)
    }

    /// What is bid and asked for the shares whose books these channels are, by channel; other channels are passed over.
    pub(super) fn books<'a>(&self, channels: impl Iterator<Item = &'a String>) -> Vec<(String, String)> {
        let shares = channels.filter_map(|name| book::share_of(name, SHARES));
        let told = |share: usize| book::book(share, self.prices[share], self.number).to_string();
        shares.map(|share| (book::channel_of(share), told(share))).collect()
    }

    fn step(&mut self, share: usize) {
        let price = self.prices[share];
        let reach = (price * self.unrest[share] / 10_000).max(1);
        let step = self.chance.random_range(-reach..=reach);
        self.prices[share] = (price + step).clamp(PRICE_MIN, PRICE_MAX);
    }

    /// By which a listener knows that all prices are right: FNV-1a over them, a price at a time.
    fn checksum(&self) -> u32 {
        self.prices
            .iter()
            .fold(0x811c_9dc5, |sum: u32, price| (sum ^ price.unsigned_abs()).wrapping_mul(0x0100_0193))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn batches(count: usize) -> Vec<Value> {
        let mut market = Market::default();
        (0..count).map(|_| serde_json::from_str(&market.next(UNIX_EPOCH)).unwrap()).collect()
    }

    #[test]
    fn the_series_is_the_same_each_time() {
        assert_eq!(batches(100), batches(100));
    }

    #[test]
    fn two_batches_tell_of_every_share_and_their_sum_proves_it() {
        let mut table = vec![0; SHARES];
        for batch in batches(50) {
            let first = usize::from(batch["n"].as_u64().unwrap() % 2 == 1);
            let prices = batch["p"].as_array().unwrap();
            assert_eq!(prices.len(), SHARES / BATCHES_PER_ROUND);
            for (index, price) in prices.iter().enumerate() {
                table[first + index * BATCHES_PER_ROUND] = price.as_u64().unwrap() as u32;
            }
            let sum = table.iter().fold(0x811c_9dc5, |sum: u32, p| (sum ^ p).wrapping_mul(0x0100_0193));
            // Half of the table is not known before the second batch.
            assert_eq!(u64::from(sum) == batch["sum"], batch["n"].as_u64() > Some(1), "{}", batch["n"]);
        }
    }

    #[test]
    fn prices_move_and_stay_what_a_price_can_be() {
        let batches = batches(2_000);
        let prices = |batch: &Value| batch["p"].as_array().unwrap().clone();
        assert_ne!(prices(&batches[1]), prices(&batches[1_999]));
        for price in batches.iter().flat_map(prices) {
            assert!((PRICE_MIN..=PRICE_MAX).contains(&(price.as_i64().unwrap() as i32)), "{price}");
        }
    }
}

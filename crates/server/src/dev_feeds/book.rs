//! What is bid and asked for a share of the made-up market.
//!
//! Nothing is kept of it: how much there is at a price follows from the share, the price and the time, so that the orders
//! stay where they are while the price moves among them.

use serde_json::{Value, json};

/// What the channels of books begin with; the index of the share follows.
const PREFIX: &str = "book:";

/// How many prices there are on each side.
const LEVELS: i32 = 8;

/// How many batches of the market an order lives.
const ORDER_LIFE: u64 = 60;

/// The share whose book this channel is.
pub(super) fn share_of(channel: &str, shares: usize) -> Option<usize> {
    let share = channel.strip_prefix(PREFIX)?.parse().ok().filter(|share| *share < shares)?;
    // `book:007` and `book:+7` are other channels than `book:7`, to which nothing is ever published.
    (channel_of(share) == channel).then_some(share)
}

/// The channel of a share's book.
pub(super) fn channel_of(share: usize) -> String {
    format!("{PREFIX}{share}")
}

/// The book of a share after batch `n` of the market: `bids` and `asks` of prices and sizes, those closest to `price` first.
pub(super) fn book(share: usize, price: i32, n: u64) -> Value {
    let tick = (price / 2_000).max(1);
    let below = (price - 1).div_euclid(tick) * tick;
    let side = |best: i32, step: i32| -> Vec<_> {
        (0..LEVELS).map(|level| best + level * step).map(|at| [at, size(share, at, n)]).collect()
    };
    json!({ "n": n, "bids": side(below, -tick), "asks": side(below + 2 * tick, tick) })
}

/// How many shares are wanted or offered at a price: from 1 to 1,000, by chance that is always the same (splitmix64).
fn size(share: usize, price: i32, n: u64) -> i32 {
    let place = (share as u64) << 32 | u64::from(price.unsigned_abs());
    // Not all orders end at the same time.
    let life = (n + place % ORDER_LIFE) / ORDER_LIFE;
    let mut mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ life.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed >> 33) % 1_000) as i32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(book: &Value, side: &str) -> Vec<(i64, i64)> {
        let level = |level: &Value| (level[0].as_i64().unwrap(), level[1].as_i64().unwrap());
        book[side].as_array().unwrap().iter().map(level).collect()
    }

    #[test]
    fn bids_are_below_the_price_and_asks_above_it_the_closest_first() {
        for price in [500, 501, 2_000, 18_760, 99_900] {
            let book = book(7, price, 1);
            let (bids, asks) = (levels(&book, "bids"), levels(&book, "asks"));
            assert_eq!((bids.len(), asks.len()), (LEVELS as usize, LEVELS as usize));
            assert!(bids.windows(2).all(|pair| pair[0].0 > pair[1].0), "{book}");
            assert!(asks.windows(2).all(|pair| pair[0].0 < pair[1].0), "{book}");
            assert!(bids[0].0 < price.into() && asks[0].0 > price.into(), "{price}: {book}");
            assert!(bids.iter().chain(&asks).all(|(_, size)| (1..=1_000).contains(size)), "{book}");
        }
    }

    #[test]
    fn an_order_stays_where_it_is_while_the_price_moves_and_ends_some_time() {
        let (before, after) = (book(7, 18_760, 100), book(7, 18_770, 100));
        let stays = levels(&before, "bids").iter().filter(|bid| levels(&after, "bids").contains(bid)).count();
        assert!(stays >= LEVELS as usize - 2, "{before} {after}");
        assert_ne!(before["bids"], book(7, 18_760, 100 + 2 * ORDER_LIFE)["bids"]);
    }

    #[test]
    fn a_channel_is_that_of_a_share_which_there_is() {
        assert_eq!(share_of(&channel_of(7), 200), Some(7));
        for name in ["book:200", "book:", "book:-1", "market:7", "book:x", "book:007", "book:+7"] {
            assert_eq!(share_of(name, 200), None, "{name}");
        }
    }
}

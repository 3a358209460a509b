//! Scenes about brokers.

mod history;
mod lifetimes;
mod listening;
mod positions;
mod repeats;

use std::time::Duration;

use super::Harness;
use crate::broker::{Broker, HistoryQuery};

const ROOM: &str = "room";
const OTHER: &str = "other";

/// The whole history.
const EVERYTHING: HistoryQuery = HistoryQuery { limit: None, since: None, reverse: false };
/// Where the stream stands.
const TOP_ONLY: HistoryQuery = HistoryQuery { limit: Some(0), since: None, reverse: false };

/// Plays all scenes, in the order of the promises.
pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H, window: Duration) {
    positions::play_all(harness);
    listening::play_all(harness);
    history::play_all(harness);
    lifetimes::play_all(harness);
    repeats::play_all(harness, window);
}

/// The publications of a stream from its beginning.
fn numbered<const N: usize>(words: [&str; N]) -> Vec<(u64, String)> {
    (1..).zip(words).map(|(offset, word)| (offset, word.to_owned())).collect()
}

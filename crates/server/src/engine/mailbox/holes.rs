//! Publications that a full mailbox did not take: the latest of each channel, as evidence that there were others.

use std::collections::HashMap;

use spanwire_hub::channel::Channel;

use crate::engine::letter::Letter;
use crate::engine::limits::HOLES_BYTES_MAX;

/// The latest dropped publication of each channel, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct Holes {
    latest: HashMap<Channel, Letter>,
    bytes: usize,
    dropped: u64,
}

impl Holes {
    /// How many publications were dropped, the kept ones included.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops a publication, but keeps it while it is the latest of its channel.
    pub(super) fn keep_latest(&mut self, letter: Letter) {
        self.dropped += 1;
        let Some((channel, _)) = letter.publication() else { return };
        let (channel, weight) = (channel.clone(), letter.weight());
        let replaced = self.latest.get(&channel).map_or(0, Letter::weight);
        // Beyond this bound only channels that have a place already are kept up to date. A later publication will
        // show the hole of the others.
        if replaced == 0 && self.bytes + weight > HOLES_BYTES_MAX {
            return;
        }
        self.bytes = self.bytes + weight - replaced;
        self.latest.insert(channel, letter);
    }

    /// What was kept, one letter for each channel.
    pub(super) fn into_letters(self) -> impl Iterator<Item = Letter> {
        self.latest.into_values()
    }
}

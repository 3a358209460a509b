//! Who holds what: a stage's connections and channels, dealt out to its processes.

use std::ops::Range;

/// What one process serves, and one load process holds: connections, each subscribed to some of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Connections that are measured.
    pub(super) connections: usize,
    /// Channels of this process; none of them is another's.
    pub(super) channels: usize,
    /// Channels of each connection.
    pub(super) each: usize,
}

impl Part {
    /// The part of process `index` of `count`, of a stage that is a part itself.
    pub(super) fn share(self, index: usize, count: usize) -> Part {
        let share = |all: usize| all / count + usize::from(index < all % count);
        Part { connections: share(self.connections), channels: share(self.channels), each: self.each }
    }

    /// The channels of a connection: neighbours follow each other around the circle of all channels.
    pub(super) fn channels_of(self, connection: usize) -> impl Iterator<Item = usize> {
        (0..self.each).map(move |index| (connection * self.each + index) % self.channels)
    }

    /// Which of its subscriptions a connection has to this channel; none if it has none.
    pub(super) fn subscription(self, connection: usize, channel: usize) -> Option<usize> {
        if channel >= self.channels {
            return None;
        }
        let first = connection * self.each % self.channels;
        let index = (channel + self.channels - first) % self.channels;
        (index < self.each).then_some(connection * self.each + index)
    }

    /// How many channels these connections are in together.
    pub(super) fn channels_reached(self, connections: Range<usize>) -> usize {
        (connections.len() * self.each).min(self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_differ_by_one_at_most() {
        let whole = Part { connections: 200_000, channels: 10_000, each: 1 };
        for count in [1, 2, 7, 11] {
            let shares: Vec<Part> = (0..count).map(|index| whole.share(index, count)).collect();
            assert_eq!(shares.iter().map(|part| part.connections).sum::<usize>(), 200_000);
            assert_eq!(shares.iter().map(|part| part.channels).sum::<usize>(), 10_000);
            assert!(shares[0].connections - shares[count - 1].connections <= 1);
        }
    }

    #[test]
    fn every_subscription_is_found_by_its_channel_and_no_other_is() {
        for (channels, each) in [(1, 1), (7, 1), (7, 3), (5, 5)] {
            let part = Part { connections: 20, channels, each };
            for connection in 0..20 {
                let mine: Vec<usize> = part.channels_of(connection).collect();
                for channel in 0..channels + 2 {
                    let expected = mine.iter().position(|&own| own == channel);
                    let expected = expected.map(|index| connection * each + index);
                    assert_eq!(part.subscription(connection, channel), expected);
                }
            }
        }
    }

    #[test]
    fn channels_are_reached_until_there_are_no_more() {
        let part = Part { connections: 0, channels: 10, each: 3 };
        for (connections, reached) in [(0, 0), (1, 3), (3, 9), (4, 10), (99, 10)] {
            assert_eq!(part.channels_reached(0..connections), reached, "{connections}");
        }
    }
}

//! Who is in which channel of the floor, and what was published in this turn.

use std::collections::HashMap;

use super::member;

/// The channels of a floor.
#[derive(Default)]
pub(super) struct Channels {
    numbers: HashMap<Vec<u8>, usize>,
    channels: Vec<Channel>,
    /// Those that were published to in this turn.
    published: Vec<usize>,
}

#[derive(Default)]
struct Channel {
    subscribers: Vec<u32>,
    /// The frames of this turn's publications, one after the other, and where each ends.
    frames: Vec<u8>,
    ends: Vec<usize>,
}

impl Channels {
    /// Adds a subscriber.
    pub(super) fn join(&mut self, channel: &[u8], subscriber: u32) {
        let number = *self.numbers.entry(channel.to_vec()).or_insert(self.channels.len());
        if number == self.channels.len() {
            self.channels.push(Channel::default());
        }
        self.channels[number].subscribers.push(subscriber);
    }

    /// Takes a subscriber out of all channels. Slow, and rare: the load leaves with the floor.
    pub(super) fn leave(&mut self, subscriber: u32) {
        for channel in &mut self.channels {
            channel.subscribers.retain(|&other| other != subscriber);
        }
    }

    /// Adds a publication to those of this turn; nobody hears it where nobody has joined.
    pub(super) fn publish(&mut self, name: &[u8], data: &[u8]) {
        let Some(&number) = self.numbers.get(name) else { return };
        let channel = &mut self.channels[number];
        if channel.ends.is_empty() {
            self.published.push(number);
        }
        member::write_push(&mut channel.frames, name, data);
        channel.ends.push(channel.frames.len());
    }

    /// Ends the turn: `write(subscriber, frames, ends)` for each subscriber of each channel that was published
    /// to.
    pub(super) fn each_published(&mut self, mut write: impl FnMut(u32, &[u8], &[usize])) {
        for number in self.published.drain(..) {
            let Channel { subscribers, frames, ends } = &mut self.channels[number];
            for &subscriber in &*subscribers {
                write(subscriber, frames, ends);
            }
            frames.clear();
            ends.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_writes_each_channel_to_its_own_subscribers_once() {
        let mut channels = Channels::default();
        channels.join(b"a", 1);
        channels.join(b"a", 2);
        channels.join(b"b", 2);
        channels.publish(b"a", b"1");
        channels.publish(b"a", b"2");
        channels.publish(b"b", b"3");
        channels.publish(b"nobody is here", b"4");
        let mut written = Vec::new();
        channels.each_published(|subscriber, _, ends| written.push((subscriber, ends.len())));
        assert_eq!(written, [(1, 2), (2, 2), (2, 1)]);
        channels.each_published(|_, _, _| panic!("the turn is over"));
    }

    #[test]
    fn who_has_left_gets_nothing() {
        let mut channels = Channels::default();
        channels.join(b"a", 1);
        channels.join(b"a", 2);
        channels.leave(1);
        channels.publish(b"a", b"1");
        let mut written = Vec::new();
        channels.each_published(|subscriber, _, _| written.push(subscriber));
        assert_eq!(written, [2]);
    }
}

//! Letters between shards, and to the owner of a channel on this one.

use spanwire_hub::Deed;
use spanwire_hub::broker::{Listener, Ticket};
use spanwire_hub::channel::Channel;

use super::Shard;
use crate::node::inbox::{INBOX_BYTES_MAX, Way};
use crate::node::letter::{CALLERS, Letter};
use crate::scene::Scene;

/// How much later an answer may be than a publication, if they travel apart, in milliseconds.
const APART_MAX: u64 = 300;

impl Shard {
    /// Puts a letter in.
    ///
    /// # Errors
    /// The inbox is full, and the letter publishes.
    pub(in crate::node) fn receive(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        letter: Letter,
    ) -> Result<(), Letter> {
        let delay = scene.chance.below(3);
        let received = self.put(scene, delay, from, false, letter);
        if self.inbox.dropped() > 0 {
            scene.ledger.count("letters dropped");
            scene.ledger.excuse_holes();
        }
        if self.inbox.bytes() > INBOX_BYTES_MAX * 40 {
            scene.ledger.blame(|| "a mailbox grows without bound".to_owned());
        }
        received
    }

    /// A letter came back from a full mailbox.
    pub(in crate::node) fn returned(&mut self, letter: Letter) {
        if let Letter::Request(request) = letter {
            self.refused.extend(Some(request.0).filter(|ticket| *ticket != Ticket::NOBODY));
        }
    }

    /// Sends a question or a deed to the owner of the channel.
    pub(super) fn submit(&mut self, scene: &mut Scene, ticket: Ticket, channel: Channel, deed: Deed) {
        let owner = self.owner(channel.as_str());
        let letter = Letter::Request(Box::new((ticket, channel, deed)));
        self.post(scene, owner, letter);
    }

    fn post(&mut self, scene: &mut Scene, to: usize, letter: Letter) {
        if to != self.index {
            return self.posts.push((to, letter));
        }
        if let Err(letter) = self.put(scene, 0, Listener(self.index as u16), true, letter) {
            self.returned(letter);
        }
    }

    fn put(
        &mut self,
        scene: &mut Scene,
        delay: u64,
        from: Listener,
        own: bool,
        letter: Letter,
    ) -> Result<(), Letter> {
        let way = if self.answers_apart { letter.way() } else { Way::Common };
        let extra = if way == Way::Common { 0 } else { scene.chance.below(APART_MAX) };
        let due = (scene.now + delay + extra).max(self.slow_until);
        self.inbox.put(due, (from, way), own, letter, &mut scene.saboteur)
    }

    pub(super) fn hear_from(&mut self, scene: &mut Scene, from: Listener, letter: Letter) {
        let told = match letter {
            Letter::Request(request) => {
                let (ticket, channel, deed) = *request;
                self.keeper.submit(scene, from, ticket, &channel, deed)
            }
            Letter::Call(channel, id) => self.keeper.call(scene, channel, id),
            heard => return self.hear(scene, heard),
        };
        for (to, letter) in told {
            if to != CALLERS {
                self.post(scene, to.0.into(), letter);
            }
        }
    }
}

//! What others write to this shard.

use std::collections::VecDeque;

use spanwire_hub::{DeltaBytes, Expirable, Expiring, Input};

use super::{Life, Shard};
use crate::engine::bus::Heard;
use crate::engine::letter::Letter;
use crate::engine::limits::TURN_LETTERS;

impl Shard {
    /// Reads letters in their order, as far as this round and one turn go.
    pub(super) fn read_mail(&mut self) {
        if self.mailbox_rang && self.mail.is_empty() {
            self.mailbox_rang = false;
            let mut letters = Vec::from(std::mem::take(&mut self.mail));
            let dropped = self.shared.mailboxes[self.index].take(&mut letters);
            self.stats().publications_dropped.add(dropped);
            self.mail = VecDeque::from(letters);
        }
        for _ in 0..TURN_LETTERS {
            if !self.round.may_take_mail() {
                return;
            }
            let Some(letter) = self.mail.pop_front() else { return };
            self.round.spend_mail(letter.weight());
            self.take_letter(letter);
        }
    }

    fn count_deltas(&mut self) {
        let DeltaBytes { whole, patches, saved } = self.hub.take_delta_bytes();
        self.stats().delta_whole_bytes.add(whole);
        self.stats().delta_patch_bytes.add(patches);
        self.stats().delta_saved_bytes.add(saved);
    }

    fn count_skipped(&mut self) {
        for (by, count) in self.hub.take_skipped().into_counts() {
            self.stats().publications_skipped.add(by, count);
        }
    }

    fn take_letter(&mut self, letter: Letter) {
        let now = self.reading.now;
        match letter {
            Letter::Event(event, born) => self.hear(Heard::Broker(event, born)),
            Letter::Presence(ticket, answer) => self.hear(Heard::Presence(ticket, answer)),
            Letter::Request(request) => self.bus.receive(now, *request),
            Letter::Call(call) => self.bus.call(now, *call),
            Letter::Adopt(arrival) => self.adopt(*arrival),
            Letter::OpenPipe(arrival) => self.open_pipe(*arrival),
            Letter::Pipe(bell) => self.hear_bell(&bell),
            Letter::Answer(session, ask, answer) => self.answered(session, ask, *answer),
            Letter::Judge(ask, question) => self.judge(ask, *question),
            Letter::Order(order) => {
                self.hub.handle(now, Input::Order(*order));
                let revoked = self.hub.take_revoked();
                self.stats().revoked_connections.add(revoked.connections);
                self.stats().revoked_subscriptions.add(revoked.subscriptions);
            }
            Letter::Regulate(regulation) => {
                self.authorize = regulation.authorize;
                self.hub.handle(now, Input::Namespaces(regulation.namespaces));
            }
            Letter::Census(reply) => {
                for what in [Expirable::Connection, Expirable::Subscription] {
                    let Expiring { overdue, soon } = self.hub.expiring(now, what);
                    self.stats().expiring.set((what.name(), "overdue"), overdue as u64);
                    self.stats().expiring.set((what.name(), "soon"), soon as u64);
                }
                self.count_deltas();
                self.count_skipped();
                // Here and below: whoever gave up waiting does not want to know.
                let _ = reply.send(self.hub.census());
            }
            Letter::Channels(reply) => {
                let channels = self.hub.channels().map(|(name, subscribers)| (name.to_owned(), subscribers));
                let _ = reply.send(channels.collect());
            }
            Letter::Users(reply) => {
                let _ = reply.send(self.hub.users().cloned().collect());
            }
            Letter::Drain(reply) => {
                match &mut self.life {
                    Life::Draining(waiting) => waiting.push(reply),
                    life => *life = Life::Draining(vec![reply]),
                }
                self.drain_connections();
            }
            Letter::Stop => self.life = Life::Over,
        }
    }
}

//! How much a shard may take in before everything that came of it was offered to the sockets.

use crate::engine::limits::ROUND_BYTES;

/// What is left of a round. It begins anew when nothing is left to be written, so that no outbox can get more than
/// one round's worth between two writes of its client, however slowly a very large fan-out proceeds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    read_left: usize,
    mail_left: usize,
}

impl Default for Round {
    fn default() -> Self {
        Self { read_left: ROUND_BYTES, mail_left: ROUND_BYTES }
    }
}

impl Round {
    pub(super) fn may_read(&self) -> bool {
        self.read_left > 0
    }

    pub(super) fn may_take_mail(&self) -> bool {
        self.mail_left > 0
    }

    pub(super) fn spend_read(&mut self, bytes: usize) {
        self.read_left = self.read_left.saturating_sub(bytes);
    }

    pub(super) fn spend_mail(&mut self, bytes: usize) {
        self.mail_left = self.mail_left.saturating_sub(bytes);
    }
}

//! When a token that expires is to be followed by a new one.

use std::time::Duration;

use rand::rngs::StdRng;
use spanwire_wire::message::Error;

use crate::Limits;
use crate::backoff::{Backoff, Told};
use crate::time::Instant;

/// The next new token, of a connection or of a subscription that is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Renewal {
    due: Option<Instant>,
    /// Counts the refusals since the token was taken.
    backoff: Backoff,
}

impl Renewal {
    /// A token was taken that is good for `ttl` seconds, if it expires at all. The new one is due a tenth early, so that a
    /// slow backend costs nothing.
    pub(crate) fn new(now: Instant, expires: bool, ttl: u32) -> Self {
        let due = expires.then(|| now + Duration::from_millis(u64::from(ttl) * 900));
        Self { due, backoff: Backoff::default() }
    }

    /// When a new token is to be asked for; `None` if it was asked for, or never will be.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A new token was asked for.
    pub(crate) fn asked(&mut self) {
        self.due = None;
    }

    /// The server could not judge the new token now, and may have told when it can. The old one may be good until then.
    pub(crate) fn put_off(&mut self, now: Instant, error: &Error, limits: &Limits, chance: &mut StdRng) {
        // How long the connection lived says nothing of the tokens: only one that is taken forgives the refusals.
        let wait = self.backoff.told_or_next(Told::by(error), Duration::ZERO, limits, chance);
        self.due = Some(now + wait);
    }
}

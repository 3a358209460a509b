//! How much one client may ask: commands, their bytes, and subscribes, each by a rate of its own.
//!
//! A command beyond a rate is answered with error 111, which is temporary, and says when to come again. Only a client
//! that goes on regardless, at several times the rate, is let go: with code 3013, after which it comes back slowly.

use std::time::Duration;

use spanwire_wire::{Command, DisconnectCode, Request};

use super::Hub;
use crate::rate::{Bucket, Verdict};
use crate::session::Life;
use crate::time::Now;
use crate::{Output, RateLimit, Refusal, SessionId};

/// What a client has used of its rates. It is kept only while something of it is owed.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    commands: Bucket,
    bytes: Bucket,
    subscribes: Bucket,
}

impl Spent {
    /// Whether nothing is owed any more.
    pub(crate) fn is_nothing(&self, now: crate::time::Instant) -> bool {
        [self.commands, self.bytes, self.subscribes].into_iter().all(|bucket| bucket.is_full(now))
    }
}

impl Hub {
    /// Whether a command may be looked at; if not, it has been answered.
    pub(super) fn is_within_rates(
        &mut self,
        now: Now,
        id: SessionId,
        command: &Command,
        bytes: usize,
    ) -> bool {
        let rates = self.config.limits.rates;
        let Some(session) = self.sessions.get_mut(id) else { return true };
        // A pong is answered for, and a connect comes once.
        if !rates.limit_anything() || !matches!(session.life, Life::Connected(_)) || is_pong(command) {
            return true;
        }
        let spent = session.spent.get_or_insert_default();
        let subscribes = match command.request {
            Request::Subscribe(_) => spent.subscribes.take(now.at, rates.subscribes, 1),
            _ => Verdict::Within,
        };
        let verdicts = [
            (RateLimit::Commands, spent.commands.take(now.at, rates.commands, 1)),
            (RateLimit::Bytes, spent.bytes.take(now.at, rates.bytes, bytes as u64)),
            (RateLimit::Subscribes, subscribes),
        ];
        let worst = verdicts.into_iter().filter(|(_, verdict)| *verdict != Verdict::Within);
        let Some((limit, verdict)) = worst.max_by_key(|(_, verdict)| wait(*verdict)) else { return true };
        match verdict {
            Verdict::Within => true,
            // To leave costs less than to be told that one may not.
            Verdict::Over(_) if matches!(command.request, Request::Unsubscribe(_)) => true,
            Verdict::Over(wait) => {
                self.outputs.push_back(Output::Limited(limit));
                self.deny(id, command.id, Refusal::Later(wait));
                false
            }
            Verdict::Obstinate => {
                self.outputs.push_back(Output::Limited(limit));
                self.close(id, DisconnectCode::TooManyRequests.into());
                false
            }
        }
    }

    /// Forgets what a client owes once it owes nothing.
    pub(super) fn settle_rates(&mut self, now: Now, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.spent.take_if(|spent| spent.is_nothing(now.at));
        }
    }
}

fn is_pong(command: &Command) -> bool {
    matches!(command.request, Request::Pong)
}

fn wait(verdict: Verdict) -> Duration {
    match verdict {
        Verdict::Within => Duration::ZERO,
        Verdict::Over(wait) => wait,
        Verdict::Obstinate => Duration::MAX,
    }
}

//! Which transport to take: from the best rung down, until one brings the answer to connect.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::time::Instant;
use crate::{Event, Limits};

/// How bytes get to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket (RFC 6455).
    WebSocket,
    /// One HTTP answer that never ends, and posts beside it.
    HttpStream,
    /// The same in server-sent events, which some proxies let through that hold any other answer back. JSON only.
    Sse,
}

/// How many times in a row a server that does not answer is believed to be the trouble, and not the way to it.
const BELIEVED: u32 = 2;

/// The transports of one client, best first, and where on them it stands.
///
/// The one that worked is gone back to, but only until it is time to begin at the top again: networks change, and nobody
/// tells.
#[derive(Debug)]
pub(crate) struct Ladder {
    rungs: Vec<Transport>,
    /// Where we are.
    at: usize,
    /// Where we begin: at the one that worked last.
    start: usize,
    /// When to begin at the top again.
    until: Option<Instant>,
    /// We have been further up a moment ago.
    is_descending: bool,
    /// How many times in a row none of them worked.
    rounds: u32,
}

impl Ladder {
    /// A ladder of these rungs; without any it is a WebSocket's.
    pub(crate) fn new(mut rungs: Vec<Transport>) -> Self {
        if rungs.is_empty() {
            rungs.push(Transport::WebSocket);
        }
        Self { rungs, at: 0, start: 0, until: None, is_descending: false, rounds: 0 }
    }

    /// The transport for the try that begins now.
    pub(crate) fn begin(&mut self, now: Instant) -> Transport {
        if !self.is_descending && self.until.is_some_and(|until| until <= now) {
            self.top();
        }
        self.rungs[self.at]
    }

    /// How long opening, and then the answer to connect, may take each. Where there is another way it is short, and longer
    /// each time that nothing worked, for some networks are only slow.
    pub(crate) fn patience(&self, limits: &Limits) -> Duration {
        let patience = match (self.rungs.len(), self.rungs[self.at]) {
            (1, _) => return limits.connect_within,
            (_, Transport::WebSocket) => limits.open_within,
            (_, Transport::HttpStream | Transport::Sse) => limits.stream_within,
        };
        patience.saturating_mul(1 << self.rounds.min(BELIEVED)).min(limits.connect_within)
    }

    /// This one does not work. The result is whether there is another one to try now.
    pub(crate) fn down(&mut self, code: u32) -> bool {
        let is_believed = blames_server(code) && self.rounds < BELIEVED;
        self.is_descending = !is_believed && self.at + 1 < self.rungs.len();
        if self.is_descending {
            self.at += 1;
            return true;
        }
        if !is_believed {
            (self.start, self.until) = (0, None);
        }
        self.at = self.start;
        self.rounds = self.rounds.saturating_add(1);
        false
    }

    /// When to look whether the best one can be had again; `None` as long as it is the one in use. Only a WebSocket is looked
    /// for: that it opens says that it works.
    pub(crate) fn climb_at(&self) -> Option<Instant> {
        self.until.filter(|_| self.rungs[0] == Transport::WebSocket)
    }

    /// The best one cannot be had, or this is not the moment to change.
    pub(crate) fn climb_later(&mut self, at: Instant) {
        self.until = Some(at);
    }

    pub(crate) fn best(&self) -> Transport {
        self.rungs[0]
    }

    /// From now on the best one again.
    pub(crate) fn top(&mut self) {
        (self.at, self.start, self.until) = (0, 0, None);
    }

    /// This one works.
    pub(crate) fn worked(&mut self, now: Instant, limits: &Limits, chance: &mut StdRng) {
        (self.rounds, self.is_descending) = (0, false);
        if self.at == 0 {
            self.until = None;
        } else if self.start != self.at {
            // Not all at the same moment, after an outage that sent all of them down.
            self.until = Some(now + limits.climb_after.mul_f64(1.0 + chance.random::<f64>()));
        }
        self.start = self.at;
    }
}

/// Whether it seems to be the server that does not answer, or has no time, and not the way to it.
fn blames_server(code: u32) -> bool {
    const TOO_MANY_REQUESTS: u32 = 429;
    const SERVICE_UNAVAILABLE: u32 = 503;
    const DISTRUSTED: u32 = 1015;
    [Event::CODE_UNREACHABLE, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE, DISTRUSTED].contains(&code)
}

//! Sessions over any transport, on one thread: the load that compares transports.
//!
//! A session is opened as its transport wants it, and from then on all that matters is which publications it is told. Those
//! are found in the bytes themselves ([`Ear`]), so that every transport is read at the same small price.

mod ear;
mod http2;
mod line;
mod poll;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::ear::Ear;
use self::line::Line;
use crate::crowd;
use crate::poller::Poller;
use crate::subject::Server;
use crate::wire::Wire;

/// Most connections that wait for their first answers at once: below the listen backlog of 128 that many servers have.
const PENDING: usize = 50;
/// Longest that so many may wait.
const SEATING_MAX: Duration = Duration::from_secs(20);
/// Bytes read from a socket at once.
const SCRATCH_BYTES: usize = 64 * 1024;

/// How sessions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A WebSocket for each, over TLS if the server speaks it.
    WebSocket,
    /// WebSockets on streams of HTTP/2, [`STREAMS`](Transport::STREAMS) to a connection.
    Http2,
    /// A response without an end, line by line.
    HttpStream,
    /// The same as server-sent events.
    Sse,
    /// One request after the other.
    Poll,
}

impl Transport {
    /// Sessions that share a connection of HTTP/2.
    pub(crate) const STREAMS: usize = 10;

    fn sessions_of_a_connection(self) -> usize {
        if self == Transport::Http2 { Transport::STREAMS } else { 1 }
    }
}

/// What a session says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Only that it is there.
    Connect,
    /// That, and that it wants the channel of fan-outs.
    Subscribe,
}

/// Sessions and their connections, both numbered from 0 in the order in which they came.
pub(crate) struct Audience {
    poller: Poller,
    lines: Vec<Line>,
    sessions: usize,
    seated: usize,
    scratch: Vec<u8>,
}

impl Audience {
    /// Nobody yet.
    pub(crate) fn new() -> Result<Audience> {
        let scratch = vec![0; SCRATCH_BYTES];
        Ok(Audience { poller: Poller::new()?, lines: Vec::new(), sessions: 0, seated: 0, scratch })
    }

    /// Opens so many sessions, and returns when each was answered. Fails if one is refused, or late.
    pub(crate) fn seat(
        &mut self,
        server: &Server,
        transport: Transport,
        errand: Errand,
        sessions: usize,
    ) -> Result<()> {
        let end = self.sessions + sessions;
        while self.sessions < end {
            for _ in 0..PENDING {
                let count = transport.sessions_of_a_connection().min(end - self.sessions);
                if count > 0 {
                    self.enter(server, transport, errand, count)?;
                }
            }
            let deadline = Instant::now() + SEATING_MAX;
            while self.seated < self.sessions {
                let (seated, all) = (self.seated, self.sessions);
                ensure!(
                    Instant::now() < deadline,
                    "only {seated} of {all} sessions were answered: {transport:?}"
                );
                self.turn(deadline, &mut |_, _| {})?;
            }
        }
        Ok(())
    }

    /// Waits until something comes or it is `until`, and tells which publications came: `told(session, number)`.
    pub(crate) fn turn(&mut self, until: Instant, told: &mut impl FnMut(usize, u32)) -> Result<()> {
        let count = self.poller.wait(Some(until))?;
        for index in 0..count {
            let number = self.poller.ready(index) as usize;
            let line = &mut self.lines[number];
            self.seated +=
                line.read(&mut self.scratch, told).with_context(|| format!("connection {number}"))?;
        }
        Ok(())
    }

    /// Sends frames on the WebSocket that came last.
    pub(crate) fn say(&mut self, frames: &[u8]) -> Result<()> {
        self.lines.last_mut().context("nobody is there")?.wire.send(frames)
    }

    /// Bytes that the kernel gave and took for all connections but the last.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        let others = &self.lines[..self.lines.len().saturating_sub(1)];
        let sum = |bytes: fn(&Wire) -> u64| others.iter().map(|line| bytes(&line.wire)).sum();
        (sum(|wire| wire.received), sum(|wire| wire.sent))
    }

    fn enter(
        &mut self,
        server: &Server,
        transport: Transport,
        errand: Errand,
        sessions: usize,
    ) -> Result<()> {
        let number = self.lines.len();
        let wire = Wire::new(crowd::connect(server.address, number)?, server.trust.as_ref())?;
        self.poller.watch(&wire.stream, number as u64)?;
        let ears =
            (self.sessions..self.sessions + sessions).map(|session| Ear::new(session, errand)).collect();
        self.lines.push(Line::open(wire, transport, errand, ears)?);
        self.sessions += sessions;
        Ok(())
    }
}

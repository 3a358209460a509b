//! Who is measured, and how often: the same for all scenarios.

use anyhow::{Context, Result};

use crate::floor::{Waiting, Writing};
use crate::peer::Peer;
use crate::spanwire::Spanwire;
use crate::subject::{self, Server};

/// The subjects and the number of rounds.
pub(crate) struct Lab {
    /// The server; none to run the floor alone.
    pub(crate) spanwire: Option<Spanwire>,
    /// A server of somebody else's, if there is one.
    pub(crate) peer: Option<Peer>,
    /// How often each measurement is repeated.
    pub(crate) rounds: u32,
}

/// What a measurement gave on each side, one value for each round.
pub(crate) struct Sides<T> {
    pub(crate) spanwire: Vec<T>,
    pub(crate) floor: Vec<T>,
    pub(crate) peer: Vec<T>,
}

impl<T> Default for Sides<T> {
    fn default() -> Sides<T> {
        Sides { spanwire: Vec::new(), floor: Vec::new(), peer: Vec::new() }
    }
}

impl Lab {
    /// The same with a server that compresses for those who offer it.
    pub(crate) fn compressing(&self) -> Lab {
        Lab { spanwire: self.spanwire.clone().map(Spanwire::compressing), peer: None, rounds: self.rounds }
    }

    /// The same with a server that speaks TLS.
    pub(crate) fn over_tls(&self) -> Lab {
        Lab { spanwire: self.spanwire.as_ref().map(Spanwire::over_tls), peer: None, rounds: self.rounds }
    }

    /// Measures server and floor in turns, so that what else the machine does falls on both, and each
    /// time in a new process, so that no round inherits another's memory. `ping_s` is the interval of
    /// heartbeats; the floor sends none at the default of [`DEFAULT_PING_S`].
    pub(crate) fn in_turns<T>(
        &self,
        what: &str,
        ping_s: u64,
        measure: impl Fn(&Server) -> Result<T>,
    ) -> Result<Sides<T>> {
        self.compare(what, ping_s, measure, None)
    }

    /// The same, and the peer as well. It has heartbeats of its own, if it has any.
    pub(crate) fn with_peer<T>(
        &self,
        what: &str,
        measure: impl Fn(&Server) -> Result<T>,
    ) -> Result<Sides<T>> {
        self.compare(what, DEFAULT_PING_S, measure, self.peer.as_ref())
    }

    fn compare<T>(
        &self,
        what: &str,
        ping_s: u64,
        measure: impl Fn(&Server) -> Result<T>,
        peer: Option<&Peer>,
    ) -> Result<Sides<T>> {
        let mut sides = Sides::default();
        for round in 1..=self.rounds {
            eprintln!("bench: {what}, round {round} of {}", self.rounds);
            if let Some(spanwire) = &self.spanwire {
                let server = spanwire.start(ping_s)?;
                sides.spanwire.push(measure(&server).with_context(|| format!("{what}: spanwire failed"))?);
            }
            if let Some(peer) = peer {
                sides.peer.push(measure(&peer.start()?).with_context(|| format!("{what}: the peer failed"))?);
            }
            let floor_ping_s = if ping_s == DEFAULT_PING_S { 0 } else { ping_s };
            let floor = subject::start_floor(Writing::Slab, Waiting::Own, floor_ping_s)?;
            sides.floor.push(measure(&floor).with_context(|| format!("{what}: the floor failed"))?);
        }
        Ok(sides)
    }

    /// Measures the server alone: for what a floor cannot do.
    pub(crate) fn alone<T>(
        &self,
        what: &str,
        ping_s: u64,
        measure: impl Fn(&Server) -> Result<T>,
    ) -> Result<Sides<T>> {
        let mut sides = Sides::default();
        let Some(spanwire) = &self.spanwire else { return Ok(sides) };
        for round in 1..=self.rounds {
            eprintln!("bench: {what}, round {round} of {}", self.rounds);
            let server = spanwire.start(ping_s)?;
            sides.spanwire.push(measure(&server).with_context(|| format!("{what}: spanwire failed"))?);
        }
        Ok(sides)
    }
}

/// The server's default interval of heartbeats, in seconds: longer than any run that does not ask for
/// another.
pub(crate) const DEFAULT_PING_S: u64 = 25;

impl<T> Sides<T> {
    /// One number of each measurement.
    pub(crate) fn map(&self, number: impl Fn(&T) -> f64) -> Sides<f64> {
        let all = |side: &[T]| side.iter().map(&number).collect();
        Sides { spanwire: all(&self.spanwire), floor: all(&self.floor), peer: all(&self.peer) }
    }
}

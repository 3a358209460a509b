//! Who is measured, and how often: the same for all scenarios.

use anyhow::{Context, Result};

use crate::floor::{Waiting, Writing};
use crate::spanwire::Spanwire;
use crate::subject::{self, Server};

/// The subjects and the number of rounds.
pub(crate) struct Lab {
    /// The server; none to run the floor alone.
    pub(crate) spanwire: Option<Spanwire>,
    /// How often each measurement is repeated.
    pub(crate) rounds: u32,
}

/// What a measurement gave on each side, one value for each round.
pub(crate) struct Sides<T> {
    pub(crate) spanwire: Vec<T>,
    pub(crate) floor: Vec<T>,
}

impl Lab {
    /// The same with a server that compresses for those who offer it.
    pub(crate) fn compressing(&self) -> Lab {
        Lab { spanwire: self.spanwire.clone().map(Spanwire::compressing), rounds: self.rounds }
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
        let mut sides = Sides { spanwire: Vec::new(), floor: Vec::new() };
        for round in 1..=self.rounds {
            eprintln!("bench: {what}, round {round} of {}", self.rounds);
            if let Some(spanwire) = &self.spanwire {
                let server = spanwire.start(ping_s)?;
                sides.spanwire.push(measure(&server).with_context(|| format!("{what}: spanwire failed"))?);
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
        let mut sides = Sides { spanwire: Vec::new(), floor: Vec::new() };
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
    /// One number of each measurement: the server's, then the floor's.
    pub(crate) fn map(&self, number: impl Fn(&T) -> f64) -> (Vec<f64>, Vec<f64>) {
        (self.spanwire.iter().map(&number).collect(), self.floor.iter().map(&number).collect())
    }
}

//! One channel, from one subscriber to a hundred thousand: what a delivery costs should not depend on how many
//! there are. `bench plot` draws it. Beyond what a process may have, there are several, each with a part.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;
use crate::{hall, table};

/// How the scenarios' names begin; the number of subscribers follows.
pub(crate) const NAME: &str = "one channel 1→";
/// The figure at a fixed rate.
pub(crate) const ALONE: &str = "server CPU per delivery, one message per turn";
/// The figure at full speed.
pub(crate) const FLAT_OUT: &str = "server CPU per delivery, 32 in flight";

/// Subscribers, and messages per second that leave the server idle in between.
const SIZES: [(usize, u64); 6] =
    [(1, 1_000), (10, 1_000), (100, 400), (1_000, 40), (10_000, 4), (A_PROCESS, 2)];
/// Most subscribers of one process.
pub(crate) const A_PROCESS: usize = 18_000;
/// Subscribers that no process here can have alone.
const BEYOND: usize = 100_000;
/// Deliveries of a measurement at full speed, at least.
const DELIVERIES: usize = 1_500_000;
const IN_FLIGHT: u32 = 32;

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    for (subscribers, per_second) in SIZES {
        let name = format!("{NAME}{subscribers}");
        let pace = Pace::Every { interval: Duration::from_micros(1_000_000 / per_second), burst: 1 };
        let messages = (per_second as u32 * 3).clamp(8, 1_500);
        let load = Fanout::new(subscribers, pace, messages, messages / 4);
        let sides = lab.in_turns(&name, DEFAULT_PING_S, |server| load.run(server))?;
        all.push(Rows { scenario: &name, sides: &sides }.row(ALONE, "ns", Outcome::server_ns));
        let rounds = (DELIVERIES / subscribers / IN_FLIGHT as usize).clamp(4, 2_000) as u32;
        let pace = Pace::FlatOut { in_flight: IN_FLIGHT };
        let load = Fanout::new(subscribers, pace, rounds * IN_FLIGHT, rounds.div_ceil(5) * IN_FLIGHT);
        let sides = lab.in_turns(&name, DEFAULT_PING_S, |server| load.run(server))?;
        all.push(Rows { scenario: &name, sides: &sides }.row(FLAT_OUT, "ns", Outcome::server_ns));
    }
    all.extend(beyond_a_process(lab)?);
    Ok(all)
}

/// Once, for it takes a minute to seat everybody.
fn beyond_a_process(lab: &Lab) -> Result<Vec<Row>> {
    let (name, processes) = (format!("{NAME}{BEYOND}"), hall::processes(BEYOND));
    let alone = Pace::Every { interval: Duration::from_secs(2), burst: 1 };
    let loads = [
        (ALONE, Fanout::new(BEYOND, alone, 8, 2)),
        (FLAT_OUT, Fanout::new(BEYOND, Pace::FlatOut { in_flight: IN_FLIGHT }, 4 * IN_FLIGHT, IN_FLIGHT)),
    ];
    let mut all = Vec::new();
    for (figure, load) in loads {
        eprintln!("bench: {name}, {} processes, {figure}", table::count(processes));
        let spanwire = lab.spanwire.iter();
        let spanwire = spanwire
            .map(|spanwire| hall::server_ns(&load, |index| hall::spanwire(spanwire, index, DEFAULT_PING_S)));
        let spanwire = spanwire.collect::<Result<Vec<_>>>()?;
        let floor = hall::server_ns(&load, |_| hall::floor())?;
        all.push(Row::new(&name, figure, "ns", &spanwire, &[floor]));
    }
    all.push(Row::new(&name, "processes, and no broker between them", "", &[processes as f64], &[]));
    Ok(all)
}

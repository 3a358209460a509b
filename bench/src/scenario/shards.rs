//! One channel with 1,000 subscribers on one shard, and on two: what it costs that a publication has to cross.
//!
//! Both shards share the server's core, so that this is a cost, not a gain: what two cores could do is not seen on a
//! machine that needs the other one for the load.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;

const ALONE: Fanout =
    Fanout::new(1_000, Pace::Every { interval: Duration::from_millis(10), burst: 1 }, 300, 50);
const FLAT_OUT: Fanout = Fanout::new(1_000, Pace::FlatOut { in_flight: 32 }, 6_400, 640);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let Some(spanwire) = &lab.spanwire else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (figure, load) in [("1→1,000, 100/s", ALONE), ("1→1,000, 32 in flight", FLAT_OUT)] {
        for shards in [1, 2] {
            let lab = Lab { spanwire: Some(spanwire.with_shards(shards)), peer: None, rounds: lab.rounds };
            let name = format!("{figure}, shards: {shards}");
            let sides = lab.alone(&name, DEFAULT_PING_S, |server| {
                let mut outcome = load.run(server)?;
                outcome.latencies.sort_unstable();
                Ok(outcome)
            })?;
            let rows = Rows { scenario: &name, sides: &sides };
            all.push(rows.row("server CPU per delivery", "ns", Outcome::server_ns));
            all.push(rows.row("server and load CPU per delivery", "ns", Outcome::total_ns));
            if load.pace == ALONE.pace {
                all.push(rows.row("latency p50", "µs", |outcome| outcome.latency_us(0.5)));
                all.push(rows.row("latency p99", "µs", |outcome| outcome.latency_us(0.99)));
            }
        }
    }
    Ok(all)
}

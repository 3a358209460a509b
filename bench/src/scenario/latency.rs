//! How long a delivery takes, at 500 messages a second to 100 subscribers.
//!
//! Counted from when the schedule wanted the message published, so that a stall is charged to every
//! message it held up and not only to the one that was under way ("coordinated omission"). The load reads
//! its 100 sockets one after the other; the last deliveries of a message wait for that, on both sides.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;

const LOAD: Fanout =
    Fanout::new(100, Pace::Every { interval: Duration::from_millis(2), burst: 1 }, 2_000, 400);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.in_turns("latency", DEFAULT_PING_S, |server| {
        let mut outcome = LOAD.run(server)?;
        outcome.latencies.sort_unstable();
        Ok(outcome)
    })?;
    let rows = Rows { scenario: "latency 1→100, 500/s", sides: &sides };
    let share = |figure, share| rows.row(figure, "µs", move |outcome: &Outcome| outcome.latency_us(share));
    Ok(vec![share("p50", 0.5), share("p99", 0.99), share("p99.9", 0.999)])
}

//! One publisher, four subscribers, 1,000 messages a second: the cost of a turn is shared by few.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;

const LOAD: Fanout = Fanout::new(4, Pace::Every { interval: Duration::from_millis(1), burst: 1 }, 2_000, 400);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.in_turns("fan-out 1→4", DEFAULT_PING_S, |server| LOAD.run(server))?;
    let rows = Rows { scenario: "fan-out 1→4, 1,000/s", sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns),
        rows.row("server and load CPU per delivery", "ns", Outcome::total_ns),
    ])
}

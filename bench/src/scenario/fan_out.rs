//! One publisher, 1,000 subscribers, 100 messages a second: each is alone in its turn of the server.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::Lab;
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::{Budget, Row};

const LOAD: Fanout =
    Fanout::new(1_000, Pace::Every { interval: Duration::from_millis(10), burst: 1 }, 300, 50);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.with_peer("fan-out 1→1,000", |server| LOAD.run(server))?;
    let rows = Rows { scenario: "fan-out 1→1,000, 100/s", sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns).promised(Budget::FloorTimes(1.10)),
        rows.row("server and load CPU per delivery", "ns", Outcome::total_ns),
        rows.row("bytes per delivery", "B", Outcome::bytes),
    ])
}

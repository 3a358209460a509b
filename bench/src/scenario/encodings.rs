//! JSON against Protobuf, with the same data. The floor speaks JSON only, so the server is alone here.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;
use crate::tongue::Tongue;

const SLOW: Fanout =
    Fanout::new(1_000, Pace::Every { interval: Duration::from_millis(10), burst: 1 }, 300, 50);
const FAST: Fanout = Fanout::new(1_000, Pace::FlatOut { in_flight: 32 }, 3_200, 320);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    for (language, tongue) in [("JSON", Tongue::Json), ("Protobuf", Tongue::Protobuf)] {
        for (pace, load) in [("100/s", SLOW), ("32 in flight", FAST)] {
            let name = format!("{language}, 1→1,000, {pace}");
            let load = Fanout { tongue, ..load };
            let sides = lab.alone(&name, DEFAULT_PING_S, |server| load.run(server))?;
            let rows = Rows { scenario: &name, sides: &sides };
            all.push(rows.row("server CPU per delivery", "ns", Outcome::server_ns));
            all.push(rows.row("bytes per delivery", "B", Outcome::bytes));
        }
    }
    Ok(all)
}

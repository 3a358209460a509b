//! Messages of 64 KB to 100 subscribers.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;

const BYTES: usize = 65_536;
const PACE: Pace = Pace::Every { interval: Duration::from_millis(25), burst: 1 };
const LOAD: Fanout = Fanout { bytes: BYTES, ..Fanout::new(100, PACE, 120, 40) };

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.in_turns("64 KB", DEFAULT_PING_S, |server| LOAD.run(server))?;
    let rows = Rows { scenario: "64 KB, 1→100, 40/s", sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns),
        rows.row("server and load CPU per delivery", "ns", Outcome::total_ns),
    ])
}

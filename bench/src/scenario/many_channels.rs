//! 10,000 channels on 100 clients: each message finds another channel, and one subscriber in it.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::Pace;
use crate::load::rooms::Rooms;
use crate::row::Row;

const SLOW: Rooms = Rooms {
    rooms: 10_000,
    members: 1,
    clients: 100,
    pace: Pace::Every { interval: Duration::from_micros(250), burst: 1 },
    messages: 1,
    warm_up: 1,
};
const FAST: Rooms = Rooms { pace: Pace::FlatOut { in_flight: 1 }, messages: 30, warm_up: 3, ..SLOW };

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    for (name, load) in [
        ("10,000 channels on 100 clients, 4,000/s", SLOW),
        ("10,000 channels on 100 clients, flat out", FAST),
    ] {
        let sides = lab.in_turns(name, DEFAULT_PING_S, |server| load.run(server))?;
        let rows = Rows { scenario: name, sides: &sides };
        all.push(rows.row("server CPU per delivery", "ns", Outcome::server_ns));
    }
    Ok(all)
}

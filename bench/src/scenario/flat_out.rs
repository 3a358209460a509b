//! One publisher with 32 messages in flight, 1,000 subscribers: as fast as everybody can.
//!
//! The next 32 leave when the last subscriber has all before them, so the rate is a lower bound: the
//! server rests while the load counts. The floor writes all 32 to a subscriber in one system call.

use anyhow::Result;

use super::Rows;
use crate::lab::Lab;
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::{Budget, Row};

const LOAD: Fanout = Fanout::new(1_000, Pace::FlatOut { in_flight: 32 }, 6_400, 640);

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.with_peer("flat out 1→1,000", |server| LOAD.run(server))?;
    let rows = Rows { scenario: "flat out 1→1,000, 32 in flight", sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns).promised(Budget::FloorTimes(1.25)),
        rows.row("server and load CPU per delivery", "ns", Outcome::total_ns),
        rows.row("deliveries per second", "1/s", Outcome::rate).promised(Budget::AtLeastPeer),
    ])
}

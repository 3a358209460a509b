//! What compression saves in bytes and costs in CPU, at three sizes of JSON; the floor has none, so the server is alone.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::Outcome;
use crate::load::fanout::{Fanout, Pace};
use crate::row::Row;
use crate::script::Talk;

const SIZES: [(&str, usize); 3] = [("100 B", 100), ("1 KB", 1_000), ("10 KB", 10_000)];
const PACE: Pace = Pace::Every { interval: Duration::from_millis(40), burst: 1 };

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    let deflating = lab.compressing();
    for (size, bytes) in SIZES {
        let load = Fanout { bytes, talk: Talk::Records, ..Fanout::new(1_000, PACE, 75, 15) };
        for (how, lab, compressed) in [("off", lab, false), ("on", &deflating, true)] {
            let name = format!("deflate {how}, {size} of JSON, 1→1,000");
            let load = Fanout { compressed, ..load };
            let sides = lab.alone(&name, DEFAULT_PING_S, |server| load.run(server))?;
            let rows = Rows { scenario: &name, sides: &sides };
            all.push(rows.row("server CPU per delivery", "ns", Outcome::server_ns));
            all.push(rows.row("bytes per delivery", "B", Outcome::bytes));
        }
    }
    Ok(all)
}

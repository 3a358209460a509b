//! From the start of the process until the server says that it is ready.

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::row::{Budget, Row};

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.in_turns("start", DEFAULT_PING_S, |server| Ok(server.process.start_up))?;
    let rows = Rows { scenario: "start", sides: &sides };
    let ready = rows.row("until it is ready", "ms", |start_up| start_up.as_secs_f64() * 1e3);
    Ok(vec![ready.promised(Budget::AtMost(100.0))])
}

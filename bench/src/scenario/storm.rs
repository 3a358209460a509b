//! 10,000 clients come back at once, each owed ten messages. A floor recovers nothing, so the server is alone.

use anyhow::Result;

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::storm::Storm;
use crate::row::Row;

const LOAD: Storm = Storm { clients: 10_000, channels: 1_000, owed: 10 };

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.alone("storm", DEFAULT_PING_S, |server| LOAD.run(server))?;
    let rows = Rows { scenario: "storm of 10,000, each owed 10", sides: &sides };
    Ok(vec![
        rows.row("until all are back and complete", "ms", |storm| storm.elapsed.as_secs_f64() * 1e3),
        rows.row("half are complete", "ms", |storm| storm.complete_ms(0.5)),
        rows.row("99 % are complete", "ms", |storm| storm.complete_ms(0.99)),
        rows.row("99.9 % are complete", "ms", |storm| storm.complete_ms(0.999)),
        rows.row("messages recovered, each once", "", |storm| storm.recovered as f64),
        rows.row("server CPU per client", "µs", |storm| storm.us_per_client(LOAD.owed)),
    ])
}

//! Connections that are opened, get the reply to their connect command, and are closed.

use anyhow::Result;

use super::Rows;
use crate::lab::Lab;
use crate::load::Outcome;
use crate::load::churn::Churn;
use crate::row::{Budget, Row};

const LOAD: Churn = Churn { connections: 20_000 };

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let sides = lab.with_peer("handshakes", |server| LOAD.run(server))?;
    let rows = Rows { scenario: "handshakes", sides: &sides };
    Ok(vec![
        rows.row("per second of the server's CPU", "1/s", Outcome::per_server_second)
            .promised(Budget::AtLeast(20_000.0)),
        rows.row("per second", "1/s", Outcome::rate),
    ])
}

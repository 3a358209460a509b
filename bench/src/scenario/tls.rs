//! What TLS costs an idle connection. The floor has none.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::Lab;
use crate::load::idle::{Idle, IdleCost};
use crate::row::{Budget, Row};

/// Fewer than without TLS, since each handshake is work for both sides.
const CONNECTIONS: usize = 2_000;
const PING_S: u64 = 5;

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let lab = Lab { rounds: 1, ..lab.over_tls() };
    let mut all = Vec::new();
    for (name, subscribed) in [("2,000 idle over TLS", false), ("2,000 idle over TLS, subscribed", true)] {
        let load = Idle { connections: CONNECTIONS, subscribed, ping: Duration::from_secs(PING_S) };
        let sides = lab.in_turns(name, PING_S, |server| load.run(server))?;
        let rows = Rows { scenario: name, sides: &sides };
        let bytes = |cost: &IdleCost| cost.bytes;
        all.push(rows.row("memory per connection", "B", bytes).promised(Budget::AtMost(12_288.0)));
    }
    Ok(all)
}

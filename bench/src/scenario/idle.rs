//! 10,000 connections that only answer heartbeats, without and with one recoverable subscription.
//!
//! Heartbeats come every 5 s here, five times as often as by default, so that a short run sees enough of
//! them; the cost for each is then spread over the default interval. That is how dense they would be with
//! 50,000 connections at the default. One round: memory repeats itself.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Rows;
use crate::lab::{DEFAULT_PING_S, Lab};
use crate::load::idle::{Idle, IdleCost};
use crate::row::{Budget, Row};

const CONNECTIONS: usize = 10_000;
const PING_S: u64 = 5;

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let lab = Lab { spanwire: lab.spanwire.clone(), peer: lab.peer.clone(), rounds: 1 };
    let mut all = Vec::new();
    for (name, subscribed, bytes_max) in
        [("10,000 idle", false, 600.0), ("10,000 idle, subscribed", true, 900.0)]
    {
        let load = Idle { connections: CONNECTIONS, subscribed, ping: Duration::from_secs(PING_S) };
        let sides = lab.in_turns(name, PING_S, |server| load.run(server))?;
        let peer = match &lab.peer {
            // Its heartbeats are not the protocol's: it is looked at before the first.
            Some(peer) => vec![load.bytes(&peer.start()?).context("the peer failed")?],
            None => Vec::new(),
        };
        let rows = Rows { scenario: name, sides: &sides };
        let bytes = rows.row("memory per connection", "B", |cost| cost.bytes).beside(&peer);
        all.push(bytes.promised(Budget::AtMost(bytes_max)));
        all.push(rows.row("CPU per connection and second", "µs", per_second).promised(Budget::AtMost(1.0)));
    }
    Ok(all)
}

/// What a connection costs in each second, at the default interval.
fn per_second(cost: &IdleCost) -> f64 {
    cost.heartbeat_us / DEFAULT_PING_S as f64
}

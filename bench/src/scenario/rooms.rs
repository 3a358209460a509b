//! Small rooms of ten in which everybody talks, at a fixed rate and as fast as everybody can.
//!
//! The floor answers a publisher and delivers to it in two system calls; the server does it in one. It is a
//! floor of what is needed, not of what could be saved.

use std::time::Duration;

use anyhow::Result;

use super::Rows;
use crate::lab::Lab;
use crate::load::Outcome;
use crate::load::fanout::Pace;
use crate::load::rooms::Rooms;
use crate::row::{Budget, Row};

const MEMBERS: usize = 10;

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    for (rooms, interval_us, messages) in [(100, 1_000, 3), (1_000, 500, 1)] {
        let pace = Pace::Every { interval: Duration::from_micros(interval_us), burst: 1 };
        let clients = rooms * MEMBERS;
        let slow = Rooms { rooms, members: MEMBERS, clients, pace, messages, warm_up: 1 };
        let name = format!("{rooms} rooms × {MEMBERS}, all talk, {}/s", 1_000_000 / interval_us);
        all.extend(fixed(lab, &name, slow)?);
        let fast = Rooms { pace: Pace::FlatOut { in_flight: 4 }, messages: 20_000 / rooms as u32, ..slow };
        let fast = Rooms { warm_up: fast.messages / 5, ..fast };
        all.extend(flat_out(lab, &format!("{rooms} rooms × {MEMBERS}, all talk, flat out"), fast)?);
    }
    Ok(all)
}

fn fixed(lab: &Lab, name: &str, load: Rooms) -> Result<Vec<Row>> {
    let sides = lab.with_peer(name, |server| {
        let mut outcome = load.run(server)?;
        outcome.latencies.sort_unstable();
        Ok(outcome)
    })?;
    let rows = Rows { scenario: name, sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns).promised(Budget::PeerTimes(1.15)),
        rows.row("latency p50", "µs", |outcome| outcome.latency_us(0.5)),
        rows.row("latency p99", "µs", |outcome| outcome.latency_us(0.99)).promised(Budget::PeerTimes(1.0)),
    ])
}

fn flat_out(lab: &Lab, name: &str, load: Rooms) -> Result<Vec<Row>> {
    let sides = lab.with_peer(name, |server| load.run(server))?;
    let rows = Rows { scenario: name, sides: &sides };
    Ok(vec![
        rows.row("server CPU per delivery", "ns", Outcome::server_ns).promised(Budget::PeerTimes(1.15)),
        rows.row("server and load CPU per delivery", "ns", Outcome::total_ns),
        rows.row("deliveries per second", "1/s", Outcome::rate),
    ])
}

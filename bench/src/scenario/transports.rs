//! The same messages over each transport: 128 B of JSON to 200 sessions, 50 times a second; and 1,000 sessions that do
//! nothing. The floor, which has WebSockets only, and the server's own WebSockets are measured in the same rounds.

use anyhow::{Context, Result};

use super::Rows;
use crate::audience::Transport;
use crate::floor::{Waiting, Writing};
use crate::lab::{DEFAULT_PING_S, Lab, Sides};
use crate::load::hearing::{self, Heard};
use crate::row::Row;
use crate::subject::{self, Server};

/// By the names that the documentation has for them, and whether TLS lies below. The first is what others are compared with.
const WAYS: [(&str, Transport, bool); 6] = [
    ("WebSocket", Transport::WebSocket, false),
    ("WebSocket over TLS", Transport::WebSocket, true),
    ("WebSocket over HTTP/2", Transport::Http2, false),
    ("HTTP streaming", Transport::HttpStream, false),
    ("server-sent events", Transport::Sse, false),
    ("long polling", Transport::Poll, false),
];

/// What one round of one transport cost, beside the WebSockets of the same round.
struct Cost {
    heard: Heard,
    /// Of an idle session; measured once, since memory repeats itself. The floor keeps too little for so few to show it.
    idle_bytes: Option<f64>,
    /// In units of the CPU and the median latency of WebSockets.
    times: Option<(f64, f64)>,
}

impl Cost {
    fn of_deliveries(server: &Server, transport: Transport) -> Result<Cost> {
        Ok(Cost { heard: hearing::deliver(server, transport)?, idle_bytes: None, times: None })
    }

    fn server_ns(&self) -> f64 {
        self.heard.outcome.server_ns()
    }

    fn p50(&self) -> f64 {
        self.heard.outcome.latency_us(0.5)
    }
}

pub(super) fn run(lab: &Lab) -> Result<Vec<Row>> {
    let mut costs = WAYS.map(|_| Vec::new());
    let mut floor = Vec::new();
    for round in 1..=lab.rounds {
        eprintln!("bench: transports, round {round} of {}", lab.rounds);
        let bare = subject::start_floor(Writing::Slab, Waiting::Own, 0)?;
        let cost = Cost::of_deliveries(&bare, Transport::WebSocket);
        floor.push(cost.context("transports: the floor failed")?);
        if let Some(spanwire) = &lab.spanwire {
            let secure = spanwire.over_tls();
            let mut websocket = None;
            for ((name, transport, tls), costs) in WAYS.iter().zip(&mut costs) {
                let spanwire = if *tls { &secure } else { spanwire };
                let failed = || format!("transports: {name} failed");
                let server = spanwire.start(DEFAULT_PING_S)?;
                let mut cost = Cost::of_deliveries(&server, *transport).with_context(failed)?;
                drop(server);
                if round == 1 {
                    // In a new process, so that no memory is used again that the deliveries have left.
                    let server = spanwire.start(DEFAULT_PING_S)?;
                    cost.idle_bytes = Some(hearing::idle_bytes(&server, *transport).with_context(failed)?);
                }
                let (cpu, p50) = *websocket.get_or_insert((cost.server_ns(), cost.p50()));
                cost.times = Some((cost.server_ns() / cpu, cost.p50() / p50));
                costs.push(cost);
            }
        }
    }
    let mut rows = Vec::new();
    for ((name, transport, _), costs) in WAYS.iter().zip(costs) {
        let sides = Sides { spanwire: costs, floor, peer: Vec::new() };
        rows.extend(report(name, *transport, &sides));
        floor = sides.floor;
    }
    Ok(rows)
}

fn report(name: &str, transport: Transport, sides: &Sides<Cost>) -> Vec<Row> {
    let rows = Rows { scenario: name, sides };
    let mut all = vec![
        rows.row("bytes per delivery", "B", |cost| cost.heard.outcome.bytes()),
        rows.row("server CPU per delivery", "ns", Cost::server_ns),
        rows.row("latency p50", "µs", Cost::p50),
        rows.row("latency p99", "µs", |cost| cost.heard.outcome.latency_us(0.99)),
    ];
    if transport == Transport::Poll {
        // The floor's clients, and all others, say nothing.
        all.insert(
            1,
            beside_nothing(name, "bytes asked per delivery", "B", sides, |cost| {
                Some(cost.heard.bytes_sent())
            }),
        );
    }
    all.push(beside_nothing(name, "memory per idle session", "B", sides, |cost| cost.idle_bytes));
    all.push(beside_nothing(name, "CPU in units of WebSockets", "×", sides, |cost| Some(cost.times?.0)));
    all.push(beside_nothing(name, "p50 in units of WebSockets", "×", sides, |cost| Some(cost.times?.1)));
    all
}

/// A figure that the floor has not.
fn beside_nothing(
    name: &str,
    figure: &str,
    unit: &str,
    sides: &Sides<Cost>,
    number: impl Fn(&Cost) -> Option<f64>,
) -> Row {
    Row::new(name, figure, unit, &sides.spanwire.iter().filter_map(number).collect::<Vec<_>>(), &[])
}

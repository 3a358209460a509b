//! The measurement behind a decision: who waits for a shard's sockets.
//!
//! A shard keeps its sockets in an epoll set of its own. That set can be one `AsyncFd` of a tokio runtime,
//! which then runs the HTTP edge on the same thread; or a loop of its own can block in `epoll_wait`. Both
//! run the same floor here, under the same load, in turns.

use std::time::Duration;

use anyhow::Result;

use crate::floor::{Waiting, Writing};
use crate::load::Outcome;
use crate::load::echo::Echo;
use crate::load::fanout::{Fanout, Pace};
use crate::subject::{self, Server};
use crate::{sample, table};

/// Most that a set under tokio may cost beside a loop of its own, to be worth its comfort.
const VERDICT: f64 = 1.10;

enum Load {
    Echo(Echo),
    Fanout(Fanout),
}

impl Load {
    fn run(&self, server: &Server) -> Result<Outcome> {
        match self {
            Load::Echo(echo) => echo.run(server),
            Load::Fanout(fanout) => fanout.run(server),
        }
    }
}

/// Times both loops in `rounds` rounds under the loads whose name contains `only`, prints the table and
/// the verdict.
pub(crate) fn run(rounds: u32, only: &str) -> Result<()> {
    let mut rows = Vec::new();
    let mut worst = 0.0f64;
    for (name, load) in loads().into_iter().filter(|(name, _)| name.contains(only)) {
        let mut costs = [Vec::new(), Vec::new()];
        let mut totals = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            eprintln!("bench: {name}, round {} of {rounds}", round + 1);
            let mut turns = [(0, Waiting::AsyncFd), (1, Waiting::Own)];
            if round % 2 == 1 {
                turns.reverse();
            }
            for (side, waiting) in turns {
                let server = subject::start_floor(Writing::Slab, waiting, 0)?;
                let outcome = load.run(&server)?;
                costs[side].push(outcome.server_ns());
                totals[side].push(outcome.total_ns());
            }
        }
        let middle = |values: &[f64]| sample::median(values).unwrap_or(f64::NAN);
        let ratio = middle(&costs[0]) / middle(&costs[1]);
        let total_ratio = middle(&totals[0]) / middle(&totals[1]);
        worst = worst.max(ratio);
        rows.push(vec![
            name.to_owned(),
            spread(&costs[0]),
            spread(&costs[1]),
            format!("{ratio:.2}"),
            format!("{total_ratio:.2}"),
        ]);
    }
    let head = ["server CPU per message, ns: median (range)", "AsyncFd", "own loop", "ratio", "with load"];
    print!("{}", table::lay_out(&head, &rows));
    let verdict = if worst > VERDICT { "a loop of its own" } else { "the set under tokio" };
    println!("worst ratio {worst:.2}, allowed {VERDICT:.2}: {verdict}");
    Ok(())
}

fn loads() -> [(&'static str, Load); 6] {
    let every = |interval_us, burst| Pace::Every { interval: Duration::from_micros(interval_us), burst };
    let fanout = |subscribers, pace, messages, warm_up| {
        Load::Fanout(Fanout::new(subscribers, pace, messages, warm_up))
    };
    [
        (
            "echo, 50 x 16 in flight, 32 B",
            Load::Echo(Echo { connections: 50, in_flight: 16, messages: 60_000 }),
        ),
        ("echo, 50 x 1 in flight, 32 B", Load::Echo(Echo { connections: 50, in_flight: 1, messages: 8_000 })),
        ("echo, 1 x 1 in flight, 32 B", Load::Echo(Echo { connections: 1, in_flight: 1, messages: 50_000 })),
        ("fan-out 1 to 1,000, one per turn, 100/s", fanout(1000, every(10_000, 1), 200, 40)),
        ("fan-out 1 to 1,000, bursts of 8, 50/s", fanout(1000, every(20_000, 8), 800, 160)),
        ("fan-out 1 to 4, one per turn, 1,000/s", fanout(4, every(1_000, 1), 2_000, 400)),
    ]
}

fn spread(values: &[f64]) -> String {
    let (low, high) = sample::range(values).unwrap_or((f64::NAN, f64::NAN));
    let middle = sample::median(values).unwrap_or(f64::NAN);
    format!("{} ({}-{})", table::number(middle), table::number(low), table::number(high))
}

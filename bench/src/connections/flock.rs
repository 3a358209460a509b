//! A process that holds connections: one process may have only so many descriptors.
//!
//! It is told what to do by lines on its standard input and answers each by a line on its standard output.

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::part::Part;
use crate::crowd::{Crowd, Guests};
use crate::tongue::Tongue;
use crate::{machine, script};

/// Longest that the last message may take to arrive everywhere.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// How a flock is started.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FlockOptions {
    /// Where its server listens.
    #[arg(long)]
    pub(super) address: SocketAddr,
    /// Channels of this server.
    #[arg(long)]
    pub(super) channels: usize,
    /// Channels of each connection.
    #[arg(long)]
    pub(super) each: usize,
}

/// What a flock is told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Order {
    /// Open so many connections more.
    Seat { count: usize },
    /// Answer heartbeats for so many milliseconds.
    Listen { ms: u64 },
    /// Publish one message to each channel, spread evenly over so many milliseconds.
    Publish { ms: u64 },
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// They are open and subscribed.
    Seated,
    /// So many heartbeats came.
    Heard { pings: u64 },
    /// Each subscription got its message once; and how late each was, in microseconds after it was due.
    Published { late_us: Vec<u64> },
}

/// Is a flock until its standard input ends.
pub(crate) fn run(options: &FlockOptions) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot tie the load to the bench's life")?;
    machine::raise_descriptors()?;
    let mut flock = Flock::new(options)?;
    for line in io::stdin().lock().lines() {
        let order = serde_json::from_str(&line.context("no orders any more")?).context("not an order")?;
        let answer = serde_json::to_string(&flock.obey(order)?)?;
        writeln!(io::stdout(), "{answer}").context("nobody hears the answer")?;
    }
    Ok(())
}

struct Flock {
    options: FlockOptions,
    part: Part,
    crowd: Crowd,
    connections: usize,
    ledger: Ledger,
}

impl Flock {
    fn new(options: &FlockOptions) -> Result<Flock> {
        let part = Part { connections: 0, channels: options.channels, each: options.each };
        let (crowd, ledger) = (Crowd::new()?, Ledger::new(part));
        Ok(Flock { options: *options, part, crowd, connections: 0, ledger })
    }

    fn obey(&mut self, order: Order) -> Result<Answer> {
        match order {
            Order::Seat { count } => self.seat(count),
            Order::Listen { ms } => self.listen(Duration::from_millis(ms)),
            Order::Publish { ms } => self.publish(Duration::from_millis(ms)),
        }
    }

    fn seat(&mut self, count: usize) -> Result<Answer> {
        let part = self.part;
        let hello = |number| {
            let subscribe = |(index, channel)| Tongue::Json.subscribe(index as u32 + 2, &name(channel));
            let subscriptions = part.channels_of(number).enumerate().map(subscribe);
            [Tongue::Json.connect(1)].into_iter().chain(subscriptions).collect()
        };
        self.crowd.seat(&Guests::new(self.options.address, Tongue::Json, count, &hello))?;
        self.connections += count;
        self.ledger.admit(count);
        Ok(Answer::Seated)
    }

    fn listen(&mut self, span: Duration) -> Result<Answer> {
        let (end, pings) = (Instant::now() + span, self.crowd.pings);
        while Instant::now() < end {
            self.turn(end, &mut |_| {})?;
        }
        Ok(Answer::Heard { pings: self.crowd.pings - pings })
    }

    fn publish(&mut self, span: Duration) -> Result<Answer> {
        let hello = |_| vec![Tongue::Json.connect(1)];
        self.crowd.seat(&Guests::new(self.options.address, Tongue::Json, 1, &hello))?;
        let (begun, channels) = (Instant::now(), self.part.channels);
        let due = |channel: usize| begun + span.mul_f64(channel as f64 / channels as f64);
        let (mut late_us, mut next) = (Vec::new(), 0);
        let deadline = begun + span + ARRIVAL_MAX;
        while next < channels || !self.ledger.is_complete() {
            while next < channels && due(next) <= Instant::now() {
                let data = script::data(next as u32, script::DATA_BYTES);
                let frame = Tongue::Json.publish(next as u32 + 2, &name(next), &data);
                self.crowd.send(self.connections, &frame)?;
                next += 1;
            }
            let until = if next < channels { due(next) } else { deadline };
            self.turn(until, &mut |channel| {
                late_us.push(Instant::now().saturating_duration_since(due(channel)).as_micros() as u64);
            })?;
            ensure!(
                Instant::now() < deadline,
                "only {} of the messages arrived within {ARRIVAL_MAX:?}",
                self.ledger.deliveries
            );
        }
        Ok(Answer::Published { late_us })
    }

    /// Waits for news until then; `arrived(channel)` for each message.
    fn turn(&mut self, until: Instant, arrived: &mut impl FnMut(usize)) -> Result<()> {
        let Flock { crowd, ledger, connections, .. } = self;
        crowd.turn(until, &mut |client, line| {
            // The publisher is seated last, and hears nothing but its replies.
            if client < *connections
                && let Some(channel) = ledger.hear(client, line)
            {
                arrived(channel);
            }
        })?;
        match &ledger.fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }
}

fn name(channel: usize) -> String {
    format!("bench:{channel}")
}

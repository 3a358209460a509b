//! How many connections: memory of the server and of the kernel, processor time and latency as they grow.
//!
//! A process may have only so many descriptors, so that many connections need many processes on both sides; a
//! server process has a loopback address of its own, and the load many. Every connection is subscribed, every
//! channel is published to once, and every message is accounted for.

mod fit;
mod flock;
mod ledger;
mod limits;
mod part;
mod shepherd;
mod stage;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

pub(crate) use flock::{FlockOptions, run as run_flock};

use crate::lab::DEFAULT_PING_S;
use crate::row::{Budget, Row};
use crate::spanwire::Spanwire;
use crate::{machine, sample, table};
use limits::Limits;
use part::Part;
use stage::{Figures, Stage};

/// Connections of each process that are there before the first reading, so that what a server allocates once is
/// not counted as theirs.
pub(crate) const WARM_UP: usize = 500;
/// Interval of heartbeats where connections are few, so that a run sees enough of them.
const SHORT_PING: Duration = Duration::from_secs(4);
/// Connections, at most, where the costs of connection, subscription and channel are told apart.
const APART: usize = 10_000;
/// Caches of the kernel worth a line, in bytes for each connection.
const WORTH_A_LINE: f64 = 16.0;

/// What to open.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Connections of the sizes that one server process holds, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 19_000], value_parser = clap::value_parser!(u32).range(1..))]
    sizes: Vec<u32>,
    /// Connections of the largest size.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    total: u32,
    /// Server processes of the largest size, and as many load processes.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u8).range(1..=250))]
    processes: u8,
    /// Channels.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    channels: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { sizes: vec![1_000, 10_000, 19_000], total: 200_000, processes: 11, channels: 10_000 }
    }
}

impl Options {
    /// The sizes in one process, those that tell the costs of connection, subscription and channel apart, and the
    /// largest.
    fn stages(&self) -> Vec<Stage> {
        let one = |connections, channels, each| Stage {
            processes: 1,
            whole: Part { connections, channels, each },
            ping: SHORT_PING,
        };
        let channels = self.channels as usize;
        let sizes = self.sizes.iter().map(|&size| size as usize);
        let apart = sizes.clone().max().unwrap_or(0).min(APART);
        let mut stages: Vec<Stage> = sizes.map(|connections| one(connections, channels, 1)).collect();
        stages.extend([
            one(apart, channels, 0),
            one(apart, 10.min(channels), 1),
            one(apart, channels, 8.min(channels)),
            Stage {
                processes: self.processes.into(),
                whole: Part { connections: self.total as usize, channels, each: 1 },
                ping: Duration::from_secs(DEFAULT_PING_S),
            },
        ]);
        stages
    }
}

/// Opens all sizes, one after the other, and returns the figures. Refuses before the first if one is too large
/// for this machine.
pub(crate) fn run(options: &Options, spanwire: &Spanwire) -> Result<Vec<Row>> {
    ensure!(
        options.channels >= u32::from(options.processes),
        "each of {} processes needs a channel: take more --channels or fewer --processes",
        options.processes
    );
    let stages = options.stages();
    let limits = Limits::look()?;
    for stage in &stages {
        limits.admit(stage.whole.connections, stage.processes)?;
    }
    machine::pin(machine::LOAD_CORE);
    let (mut rows, mut points) = (Vec::new(), Vec::new());
    for stage in stages {
        let name = name(&stage);
        eprintln!("bench: {name}; load average {}", load_average());
        let figures = stage.run(spanwire).with_context(|| format!("{name}: failed"))?;
        explain_kernel(&figures);
        rows.extend(report(&name, &figures));
        let subscriptions = (figures.connections * stage.whole.each) as f64;
        let inputs = [figures.connections as f64, subscriptions, figures.channels as f64];
        points.push((inputs, figures.user_bytes as f64));
    }
    let fitted = fit::fit(&points).context("the sizes do not tell the costs apart")?;
    let model = |figure, unit, value| Row::new("fitted model", figure, unit, &[value], &[]);
    let names = ["user memory per connection", "per subscription", "per channel"];
    rows.extend(names.iter().zip(fitted.coefficients).map(|(figure, bytes)| model(figure, "B", bytes)));
    rows.push(model("largest error", "%", fitted.worst * 100.0));
    Ok(rows)
}

fn name(stage: &Stage) -> String {
    let Part { connections, channels, each } = stage.whole;
    let count = table::count;
    let subscribed = match each {
        0 => "not subscribed".to_owned(),
        1 => format!("each in 1 of {} channels", count(channels)),
        each => format!("each in {each} of {} channels", count(channels)),
    };
    let processes = if stage.processes == 1 { "process" } else { "processes" };
    format!("{} connections in {} {processes}, {subscribed}", count(connections), stage.processes)
}

fn report(name: &str, figures: &Figures) -> Vec<Row> {
    let row = |figure, unit, value| Row::new(name, figure, unit, &[value], &[]);
    let each = |bytes: f64| bytes / figures.connections as f64;
    let second = figures.heartbeat_us / DEFAULT_PING_S as f64;
    let mut rows = vec![
        row("user memory per connection", "B", each(figures.user_bytes as f64)),
        row("the same after a message to each", "B", each(figures.user_bytes_later as f64)),
    ];
    if !figures.kernel.is_empty() {
        let both: i64 = figures.kernel.iter().map(|(_, bytes)| bytes).sum();
        rows.push(row("kernel memory per connection, one end", "B", each(both as f64) / 2.0));
    }
    rows.push(row("CPU per connection and second", "µs", second).promised(Budget::AtMost(1.0)));
    if !figures.late_us.is_empty() {
        rows.push(row("deliveries, each once", "", figures.late_us.len() as f64));
        for (figure, share) in [("latency p50", 0.5), ("latency p99", 0.99), ("latency p99.9", 0.999)] {
            let late = sample::percentile(&figures.late_us, share).map_or(f64::NAN, |late| late as f64);
            rows.push(row(figure, "µs", late));
        }
    }
    rows
}

/// Says which caches of the kernel have grown. Machine-wide: what others do meanwhile is in it.
fn explain_kernel(figures: &Figures) {
    if figures.kernel.is_empty() {
        eprintln!("bench: the kernel's memory is not told: /proc/slabinfo is for root");
        return;
    }
    let each = |bytes: i64| bytes as f64 / figures.connections as f64;
    let lines = figures.kernel.iter().filter(|(_, bytes)| each(*bytes).abs() >= WORTH_A_LINE);
    let caches: Vec<String> = lines.map(|(name, bytes)| format!("{name} {:.0}", each(*bytes))).collect();
    eprintln!("bench: kernel caches, bytes for each pair of ends: {}", caches.join(", "));
}

/// What the kernel says of how busy the machine was in the last minute.
fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_ascii_whitespace().next().unwrap_or("unknown").to_owned()
}

//! Spanwire's bench: what the server costs, beside the least that a server could cost.
//!
//! Everything that is measured runs as a process of its own on one core, the load on another; what was
//! started is ended with us. Every load counts what arrived and fails if anything is missing, so a figure
//! that is printed is a figure of complete work. `README.md` tells how to read the figures.

mod audience;
mod certificate;
mod chaos;
mod connections;
mod crowd;
mod floor;
mod frame;
mod greeting;
mod hall;
mod inflate;
mod kernel;
mod lab;
mod load;
mod loops;
mod machine;
mod peer;
mod plot;
mod poller;
mod process;
mod procfs;
mod protobuf;
mod record;
mod row;
mod sample;
mod scenario;
mod script;
mod soak;
mod spanwire;
mod subject;
mod table;
mod tongue;
mod wire;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lab::Lab;
use crate::peer::Peer;
use crate::record::Record;
use crate::row::Row;
use crate::scenario::Scenario;
use crate::spanwire::Spanwire;

#[derive(Parser)]
#[command(about = "Measures a Spanwire server beside a bare-epoll floor")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
    /// Print one JSON object per line instead of the table.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Args)]
struct Run {
    /// The server's binary; by default the one built beside this program.
    #[arg(long, global = true)]
    server: Option<PathBuf>,
    /// Measure the floor alone.
    #[arg(long, global = true)]
    floor_only: bool,
    /// A program of somebody else's to be measured as well, such as `peers/uwebsockets.c`.
    #[arg(long, global = true)]
    peer: Option<PathBuf>,
    /// How often each measurement is repeated; the median is reported.
    #[arg(long, global = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Run only these scenarios, separated by commas.
    #[arg(long, global = true, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
}

#[derive(Subcommand)]
enum Command {
    /// Open as many connections as this machine allows, up to 200,000.
    Connections(connections::Options),
    /// Do to the server what can befall it, while a crowd keeps accounts.
    Chaos(chaos::Options),
    /// Days in minutes: many come and go, a room talks, a crowd has accidents, and memory stays flat.
    Soak(soak::Options),
    /// Run everything, or what --only names, and keep the result in bench/records.
    Record,
    /// Lay out two records side by side.
    Compare {
        /// The earlier record.
        a: PathBuf,
        /// The later record.
        b: PathBuf,
    },
    /// Draw what a delivery costs as a channel grows, as SVG.
    Plot {
        /// The record.
        record: PathBuf,
        /// The picture.
        picture: PathBuf,
    },
    /// Time an epoll set under tokio against a loop of its own.
    Loops {
        /// Only the loads whose name contains this.
        #[arg(default_value = "")]
        load: String,
    },
    /// Be the bare-epoll floor until ended.
    Floor(floor::FloorOptions),
    /// Hold connections, as told by standard input.
    #[command(hide = true)]
    Flock(connections::FlockOptions),
    /// Be part of a channel's subscribers, as told by standard input.
    #[command(hide = true)]
    Wing(hall::WingOptions),
    /// Become another program on the server's core that ends with this one.
    #[command(hide = true)]
    Leash {
        /// The program and its arguments.
        #[arg(last = true)]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        None => print(&measure(&arguments.run)?, arguments.json)?,
        Some(Command::Connections(options)) => {
            let rows = connections::run(&options, &Spanwire::find(arguments.run.server.as_deref())?)?;
            print(&rows, arguments.json)?;
        }
        Some(Command::Chaos(options)) => chaos::run(&options, arguments.run.server.as_deref())?,
        Some(Command::Soak(options)) => soak::run(&options, arguments.run.server.as_deref())?,
        Some(Command::Flock(options)) => connections::run_flock(&options)?,
        Some(Command::Wing(options)) => hall::run_wing(&options)?,
        Some(Command::Record) => {
            let mut record = Record::begin()?;
            let spanwire = Spanwire::find(arguments.run.server.as_deref())?;
            record.rows = measure(&arguments.run)?;
            if arguments.run.only.is_empty() {
                record.rows.extend(connections::run(&connections::Options::default(), &spanwire)?);
            }
            print(&record.rows, arguments.json)?;
            eprintln!("bench: kept in {}", record.write()?.display());
        }
        Some(Command::Compare { a, b }) => print!("{}", Record::read(&a)?.compare(&Record::read(&b)?)),
        Some(Command::Plot { record, picture }) => {
            let svg = plot::draw(&Record::read(&record)?)?;
            fs::write(&picture, svg).with_context(|| format!("cannot write {}", picture.display()))?;
        }
        Some(Command::Loops { load }) => {
            settle()?;
            loops::run(arguments.run.rounds, &load)?;
        }
        Some(Command::Floor(options)) => floor::run(&options)?,
        Some(Command::Leash { command }) => process::leash(&command)?,
    }
    Ok(())
}

fn measure(run: &Run) -> Result<Vec<Row>> {
    let spanwire = if run.floor_only { None } else { Some(Spanwire::find(run.server.as_deref())?) };
    let peer = run.peer.as_deref().map(Peer::find).transpose()?;
    settle()?;
    let lab = Lab { spanwire, peer, rounds: run.rounds };
    let scenarios = if run.only.is_empty() { Scenario::value_variants() } else { &run.only };
    let mut rows = Vec::new();
    for scenario in scenarios {
        rows.extend(scenario.run(&lab)?);
    }
    Ok(rows)
}

/// Takes the load's place on this machine.
fn settle() -> Result<()> {
    machine::raise_descriptors()?;
    machine::pin(machine::LOAD_CORE);
    Ok(())
}

fn print(rows: &[Row], json: bool) -> Result<()> {
    if !json {
        print!("{}", row::lay_out(rows));
        return Ok(());
    }
    for row in rows {
        println!("{}", serde_json::to_string(row)?);
    }
    Ok(())
}

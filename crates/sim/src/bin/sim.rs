//! Plays seeds: `sim 7` prints the conversation of one, `sim --seeds 1000` plays many, `sim --forever` does not stop.
//! `--bug NAME` plants a bug, to see whether it is found.

use std::process::ExitCode;

use spanwire_sim::shrink::shrink;
use spanwire_sim::{Bug, Outcome, Plot, run};

const USAGE: &str = "usage: sim SEED | --seeds N | --forever [FROM]   [--bug NAME]";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match take_bug(&mut arguments).and_then(|bug| Wish::of(&arguments).map(|wish| (wish, bug))) {
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::from(2)
        }
        Ok((Wish::One(seed), bug)) => tell(seed, bug),
        Ok((Wish::Many(from, to), bug)) => search(from, to, bug),
    }
}

/// What is wanted.
enum Wish {
    /// To read one run.
    One(u64),
    /// To play the runs of these seeds, the last excluded.
    Many(u64, u64),
}

impl Wish {
    fn of(arguments: &[String]) -> Result<Self, String> {
        let number = |text: &String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match arguments {
            [option, count] if option == "--seeds" => Ok(Self::Many(0, number(count)?)),
            [option] if option == "--forever" => Ok(Self::Many(0, u64::MAX)),
            [option, from] if option == "--forever" => Ok(Self::Many(number(from)?, u64::MAX)),
            [seed] => number(seed).map(Self::One),
            _ => Err("one seed, or how many?".to_owned()),
        }
    }
}

fn take_bug(arguments: &mut Vec<String>) -> Result<Option<Bug>, String> {
    let Some(at) = arguments.iter().position(|argument| argument == "--bug") else { return Ok(None) };
    arguments.remove(at);
    if at == arguments.len() {
        return Err("--bug wants a name".to_owned());
    }
    arguments.remove(at).parse().map(Some)
}

/// Prints the conversation of one seed: of its shortest form that fails, if it fails.
fn tell(seed: u64, bug: Option<Bug>) -> ExitCode {
    let whole = Plot::of(seed);
    let plot = shrink(&whole, bug);
    let Outcome { violation, hash, lines, sizes, .. } = run(&plot, bug, true);
    println!(
        "seed {seed}: {} people, {} shards, pieces late by up to {} ms, {} of {} acts\n",
        plot.people,
        plot.shards,
        plot.delay_max,
        plot.acts.len(),
        whole.acts.len()
    );
    for line in lines {
        println!("{line}");
    }
    println!("\n{} steps, trace {hash:016x}", sizes.steps);
    match violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("BROKEN: {violation}");
            ExitCode::FAILURE
        }
    }
}

/// Plays seeds until one fails.
fn search(from: u64, to: u64, bug: Option<Bug>) -> ExitCode {
    for seed in from..to {
        if let Some(violation) = run(&Plot::of(seed), bug, false).violation {
            println!("seed {seed}: {violation}");
            println!(
                "read it with: sim {seed}{}",
                bug.map(|bug| format!(" --bug {bug}")).unwrap_or_default()
            );
            return ExitCode::FAILURE;
        }
        if seed % 1000 == 999 {
            println!("{} seeds, every promise kept", seed + 1 - from);
        }
    }
    ExitCode::SUCCESS
}

//! The `spanwire` command.

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    // The first thing: what is printed as the time to get ready counts from here.
    let started = Instant::now();
    spanwire::cli::run(started)
}

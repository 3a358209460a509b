//! Instructions that the WebSocket layer needs to decode and echo a message of 32 bytes, counted by valgrind.
//!
//! The example `instructions` of `crates/ws` does the work; it must have been built with the same profile:
//! `cargo build --release -p spanwire-ws --example instructions`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::row::{Budget, Row};

/// Messages of the longer run; the shorter has none, and the difference is theirs.
const MESSAGES: u64 = 100_000;

/// Counts, or says on standard error what is missing and returns no row.
pub(super) fn run() -> Result<Vec<Row>> {
    let program = example()?;
    if !program.is_file() {
        eprintln!("bench: no instructions counted: there is no {}", program.display());
        return Ok(Vec::new());
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("bench: no instructions counted: there is no valgrind");
        return Ok(Vec::new());
    }
    let spent = count(&program, MESSAGES)? - count(&program, 0)?;
    let each = spent as f64 / MESSAGES as f64;
    let row = Row::new("ws", "instructions to decode and echo 32 B", "", &[each], &[]);
    Ok(vec![row.promised(Budget::AtMost(400.0))])
}

fn example() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    Ok(own.with_file_name("examples").join("instructions"))
}

fn count(program: &Path, messages: u64) -> Result<i64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    // Callgrind counts `rep movsb` once for each byte.
    valgrind.arg(messages.to_string()).env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM");
    let output = valgrind.output().context("cannot run valgrind")?;
    let talk = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {talk}");
    collected(&talk).with_context(|| format!("valgrind does not say what it counted: {talk}"))
}

/// The number behind `Collected :`.
fn collected(talk: &str) -> Option<i64> {
    let (_, figure) = talk.split_once("Collected :")?;
    figure.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_stands_behind_its_word() {
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 38200\n==7==\n"), Some(38_200));
        for talk in ["", "==7== Collected : many\n", "Collected :"] {
            assert_eq!(collected(talk), None, "{talk:?}");
        }
    }
}

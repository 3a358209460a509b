//! The whole tool against its own floor: what it starts, loads and counts. No figure is judged here.

use std::process::Command;

use serde_json::Value;

/// Runs the tool without a server and returns what it printed, one row for each line.
fn rows(scenarios: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--floor-only", "--rounds", "1", "--json", "--only", scenarios])
        .output()
        .expect("the tool starts");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    let lines = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn a_floor_delivers_everything_and_is_reported_without_a_verdict() {
    let rows = rows("start,sparse");
    let figures: Vec<&str> = rows.iter().filter_map(|row| row["figure"].as_str()).collect();
    assert_eq!(figures, ["until it is ready", "server CPU per delivery", "server and load CPU per delivery"]);
    for row in &rows {
        assert!(row["floor"]["median"].as_f64().is_some_and(|median| median > 0.0), "{row}");
        assert!(row["spanwire"].is_null() && row["ratio"].is_null() && row["kept"].is_null(), "{row}");
    }
}

#[test]
fn a_missing_server_is_an_error_that_says_how_to_build_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--server", "no/such/spanwire"])
        .output()
        .expect("the tool starts");
    assert!(!output.status.success());
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("cargo build --release -p spanwire"), "{talk}");
}

#[test]
fn more_connections_than_the_machine_allows_are_refused_with_advice() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["connections", "--total", "4000000000", "--processes", "1", "--sizes", "1"])
        .args(["--server", env!("CARGO_BIN_EXE_bench")])
        .output()
        .expect("the tool starts");
    assert!(!output.status.success());
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("4,000,000,000 connections need 1 × 4000000564 descriptors"), "{talk}");
    assert!(talk.contains("ulimit -Hn"), "{talk}");
}

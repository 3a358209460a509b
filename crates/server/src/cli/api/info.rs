//! `spanwire info`: which nodes there are, and how much there is on each.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Caller, Shown, counted};
use crate::cli::Failure;
use crate::cli::exit::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct InfoOptions {
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Node>,
}

/// A node, as the API tells it and as a line of JSON does.
#[derive(Deserialize, Serialize)]
struct Node {
    uid: String,
    name: String,
    version: String,
    num_clients: u64,
    num_users: u64,
    num_subs: u64,
    num_channels: u64,
    uptime: u64,
}

impl InfoOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let Nodes { nodes } = self.caller.ask("info", &json!({}))?;
        // Texts and numbers: nothing in it that could fail.
        let json = |node| serde_json::to_string(node).unwrap_or_default();
        nodes.iter().try_for_each(|node| print(&if self.shown.json { json(node) } else { node.line() }))
    }
}

impl Node {
    fn line(&self) -> String {
        format!(
            "{} {} ({})  up {}: {} of {}, {} to {}",
            self.name,
            self.version,
            self.uid,
            length(self.uptime),
            counted(self.num_clients, "client"),
            counted(self.num_users, "user"),
            counted(self.num_subs, "subscription"),
            counted(self.num_channels, "channel"),
        )
    }
}

/// A length of time in its two largest units.
fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_its_two_largest_units() {
        let table = [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h")];
        for (seconds, expected) in table {
            assert_eq!(length(seconds), expected);
        }
    }
}

//! `spanwire channels`: which channels have subscribers.

use std::collections::BTreeMap;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::{Caller, Shown, counted};
use crate::cli::Failure;
use crate::cli::exit::print;
use crate::cli::tail::printable;

#[derive(Debug, Args)]
pub(in crate::cli) struct ChannelsOptions {
    /// What their names are like, such as 'chat:*'; all without it.
    #[arg(default_value = "")]
    pattern: String,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Deserialize)]
struct Found {
    channels: BTreeMap<String, Channel>,
}

#[derive(Deserialize)]
struct Channel {
    num_clients: u64,
}

impl ChannelsOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let found: Found = self.caller.ask("channels", &json!({ "pattern": self.pattern }))?;
        for (name, Channel { num_clients }) in &found.channels {
            print(&match self.shown.json {
                true => json!({ "channel": name, "num_clients": num_clients }).to_string(),
                false => format!("{num_clients:>7}  {}", printable(name)),
            })?;
        }
        self.shown.talk(&format!("{} with subscribers", counted(found.channels.len() as u64, "channel")));
        Ok(())
    }
}

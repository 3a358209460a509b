//! `spanwire presence`: who is in a channel.

use std::collections::BTreeMap;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Caller, Shown, counted};
use crate::cli::Failure;
use crate::cli::exit::print;
use crate::cli::tail::printable;

#[derive(Debug, Args)]
pub(in crate::cli) struct PresenceOptions {
    /// The channel.
    channel: String,
    /// Only says how many there are.
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    caller: Caller,
}

#[derive(Deserialize)]
struct Present {
    presence: BTreeMap<String, Client>,
}

/// A client, as the API tells it and as a line of JSON does.
#[derive(Deserialize, Serialize)]
struct Client {
    user: String,
    client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conn_info: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chan_info: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Stats {
    num_clients: u64,
    num_users: u64,
}

impl PresenceOptions {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let channel = json!({ "channel": self.channel });
        if self.stats {
            let Stats { num_clients, num_users } = self.caller.ask("presence_stats", &channel)?;
            return print(&match self.shown.json {
                true => json!({ "num_clients": num_clients, "num_users": num_users }).to_string(),
                false => format!("{}, {}", counted(num_clients, "client"), counted(num_users, "user")),
            });
        }
        let Present { presence } = self.caller.ask("presence", &channel)?;
        for client in presence.values() {
            print(&if self.shown.json { client.json() } else { client.line() })?;
        }
        self.shown.talk(&format!("{} in {}", counted(presence.len() as u64, "client"), self.channel));
        Ok(())
    }
}

impl Client {
    fn json(&self) -> String {
        // Texts and raw JSON: nothing in it that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn line(&self) -> String {
        let user = if self.user.is_empty() { "(anonymous)".to_owned() } else { printable(&self.user) };
        let infos = [&self.conn_info, &self.chan_info].into_iter().flatten();
        let infos: String = infos.map(|info| format!("  {}", printable(info.get()))).collect();
        format!("{}  {user}{infos}", printable(&self.client))
    }
}

//! The options of `spanwire torture`.

use std::path::PathBuf;

use clap::Args;

use super::plan::{CHANNELS_MAX, CLIENTS_MAX, RATE_MAX, SECONDS_MAX};

/// What the command line says.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The server.
    #[arg(env = "SPANWIRE_URL", default_value = "http://localhost:8000")]
    pub(super) url: String,
    /// How many clients.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=CLIENTS_MAX as u64))]
    pub(super) clients: u64,
    /// How many channels, at most one for each client.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=CHANNELS_MAX as u64))]
    pub(super) channels: u64,
    /// How long it storms; then everybody gets a minute to have everything.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub(super) seconds: u64,
    /// How many publications a second, in all.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(RATE_MAX)))]
    pub(super) rate: u32,
    /// The namespace of the channels; it needs history and recovery.
    #[arg(long)]
    pub(super) namespace: Option<String>,
    /// Publish by the server API with this key, instead of by the clients.
    #[arg(long, env = "SPANWIRE_API_KEY", hide_env_values = true)]
    pub(super) key: Option<String>,
    /// A connection token for all clients; without it they are anonymous.
    #[arg(long, env = "SPANWIRE_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// Certificates of the authorities that may vouch for an https or wss server, in PEM, instead of the system's.
    #[arg(long, env = "SPANWIRE_CA_FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Which accidents happen to whom; drawn, and printed, without it.
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Prints the result as one JSON object, and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Allows a server that is not on this machine. What comes is load, and broken connections.
    #[arg(long)]
    pub(super) i_own_this_server: bool,
}

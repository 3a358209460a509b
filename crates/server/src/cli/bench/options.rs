//! The options of `spanwire bench`.

use std::path::PathBuf;

use clap::Args;
use clap::value_parser;
use spanwire_client::Client;

use super::super::url::Server;
use super::super::{Failure, session};

const SUBSCRIBERS_MAX: i64 = 10_000;
const MESSAGES_MAX: i64 = 10_000_000;
const BYTES_MAX: i64 = 60_000;
const RATE_MAX: i64 = 100_000;
/// Most publications that wait for their acknowledgement at once: as many as a client keeps.
pub(super) const IN_FLIGHT_MAX: u32 = 1_000;

/// What the command line says.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The server.
    #[arg(env = "SPANWIRE_URL", default_value = "http://localhost:8000")]
    pub(super) url: String,
    /// The channel; clients must be allowed to publish and to subscribe there.
    #[arg(long, default_value = "bench")]
    pub(super) channel: String,
    /// How many clients listen; one more publishes.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=SUBSCRIBERS_MAX))]
    pub(super) subscribers: u32,
    /// How many messages are published.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=MESSAGES_MAX))]
    pub(super) messages: u32,
    /// Bytes of each payload; shorter ones than the numbers in it need are filled up.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u32).range(1..=BYTES_MAX))]
    pub(super) bytes: u32,
    /// Messages a second; without it as many as are acknowledged.
    #[arg(long, value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: Option<u32>,
    /// How many may wait for their acknowledgement, where there is no --rate.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=i64::from(IN_FLIGHT_MAX)))]
    pub(super) in_flight: u32,
    /// Speaks Protobuf instead of JSON.
    #[arg(long)]
    pub(super) protobuf: bool,
    /// A connection token for all clients; without it they are anonymous.
    #[arg(long, env = "SPANWIRE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Certificates of the authorities that may vouch for an https or wss server, in PEM, instead of the system's.
    #[arg(long, env = "SPANWIRE_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Prints the result as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// Allows a server that is not on this machine. What comes is load.
    #[arg(long)]
    pub(super) i_own_this_server: bool,
}

impl Options {
    /// One more client, which begins to connect.
    pub(super) fn client(&self, server: &Server) -> Result<Client, Failure> {
        let builder = session::builder(server, self.token.as_deref(), self.ca_file.as_deref());
        session::begin(if self.protobuf { builder.protobuf() } else { builder })
    }
}

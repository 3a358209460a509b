//! What is measured: the server, and the floor beside it.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use rustls::ClientConfig;

use crate::floor::{Waiting, Writing};
use crate::process::{self, Process};

/// A subject that runs and listens.
pub(crate) struct Server {
    /// Its process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Who vouches for it, if it speaks TLS.
    pub(crate) trust: Option<Arc<ClientConfig>>,
}

/// Starts a floor as a process of its own: this program's `floor` command.
pub(crate) fn start_floor(writing: Writing, waiting: Waiting, ping_s: u64) -> Result<Server> {
    let address = process::free_address(Ipv4Addr::LOCALHOST)?;
    let mut command = Command::new(env::current_exe().context("cannot find this program's own file")?);
    command.arg("floor").arg("--address").arg(address.to_string());
    command.arg("--writing").arg(name(writing)).arg("--waiting").arg(name(waiting));
    command.arg("--ping").arg(ping_s.to_string());
    Ok(Server { process: Process::start(&command)?, address, trust: None })
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

//! A server of somebody else's, measured beside ours.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, Process};
use crate::subject::Server;

/// A program that is called with a host and a port, says that it is ready, and answers the load's commands: such as
/// `peers/uwebsockets.c`.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    binary: PathBuf,
}

impl Peer {
    /// The program at `path`.
    pub(crate) fn find(path: &Path) -> Result<Peer> {
        if !path.is_file() {
            bail!("there is no peer at {}; bench/README.md says how to build one", path.display());
        }
        Ok(Peer { binary: std::path::absolute(path)? })
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self) -> Result<Server> {
        let address = process::free_address(Ipv4Addr::LOCALHOST)?;
        let mut command = Command::new(&self.binary);
        command.arg(address.ip().to_string()).arg(address.port().to_string());
        Ok(Server { process: Process::start(&command)?, address, trust: None })
    }
}

//! The server under test: where its binary is, and the configuration it is given.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::certificate::Certificate;
use crate::process::{self, Process};
use crate::subject::Server;

/// The server's binary.
#[derive(Debug, Clone)]
pub(crate) struct Spanwire {
    binary: PathBuf,
    compression: bool,
    shards: u32,
    /// Whether it speaks TLS.
    secure: bool,
}

impl Spanwire {
    /// The binary at `path`, or else the one beside this program's own.
    pub(crate) fn find(path: Option<&Path>) -> Result<Spanwire> {
        let binary = match path {
            Some(path) => path.to_owned(),
            None => {
                env::current_exe().context("cannot find this program's own file")?.with_file_name("spanwire")
            }
        };
        if !binary.is_file() {
            bail!(
                "there is no server at {}; build it with `cargo build --release -p spanwire`, \
                 or name another with --server",
                binary.display()
            );
        }
        Ok(Spanwire { binary, compression: false, shards: 1, secure: false })
    }

    /// The same, speaking TLS.
    pub(crate) fn over_tls(&self) -> Spanwire {
        Spanwire { secure: true, ..self.clone() }
    }

    /// Where it is.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// The same, started so that it compresses.
    pub(crate) fn compressing(self) -> Spanwire {
        Spanwire { compression: true, ..self }
    }

    /// The same with so many shards, instead of one.
    pub(crate) fn with_shards(&self, shards: u32) -> Spanwire {
        Spanwire { shards, ..self.clone() }
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(&self, ping_s: u64) -> Result<Server> {
        self.start_at(Ipv4Addr::LOCALHOST, ping_s)
    }

    /// The same at a loopback address of its own.
    pub(crate) fn start_at(&self, address: Ipv4Addr, ping_s: u64) -> Result<Server> {
        let address = process::free_address(address)?;
        let file = env::temp_dir()
            .join(format!("spanwire-bench-{}-{}.toml", std::process::id(), address).replace(':', "-"));
        let certificate = if self.secure { Some(Certificate::make(&self.binary, address)?) } else { None };
        let tls = certificate.as_ref().map(Certificate::config).unwrap_or_default();
        fs::write(&file, config(address, ping_s, self.compression, self.shards) + &tls)
            .context("cannot write the server's configuration")?;
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("-c").arg(&file);
        let process = Process::start(&command);
        // The server has read it by now, or never will.
        fs::remove_file(&file).context("cannot remove the server's configuration")?;
        let trust = certificate.map(|certificate| certificate.trust()).transpose()?;
        Ok(Server { process: process?, address, trust })
    }
}

/// A server that lets anybody do what the loads do, with heartbeats at this interval in seconds.
fn config(address: SocketAddr, ping_s: u64, compression: bool, shards: u32) -> String {
    let (ip, port) = (address.ip(), address.port());
    // Left out where it is off, so that servers which know nothing of it can be measured too.
    let compression = if compression { "compression = true" } else { "" };
    // The pong must be awaited for less than a ping's interval.
    let pong_s = ping_s.div_ceil(2).min(8);
    format!(
        r#"[http_server]
address = "{ip}"
port = {port}

[log]
level = "warn"

[client]
allow_anonymous_connect_without_token = true
connection_rate_limit = 0
command_rate_limit = 0
byte_rate_limit = 0
subscribe_rate_limit = 0
ping_interval = "{ping_s}s"
pong_timeout = "{pong_s}s"

[websocket]
message_size_limit = 131072
{compression}

[engine]
shards = {shards}

[[channel.namespaces]]
name = "bench"
publish_rate_limit = 0
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_publish_for_client = true
allow_publish_for_anonymous = true

[[channel.namespaces]]
name = "rec"
publish_rate_limit = 0
history_size = 100
history_ttl = "300s"
force_recovery = true
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_publish_for_client = true
allow_publish_for_anonymous = true
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_binary_is_answered_with_the_command_that_builds_it() {
        let error = Spanwire::find(Some(Path::new("no/such/spanwire"))).unwrap_err();
        assert!(error.to_string().contains("cargo build --release -p spanwire"), "{error}");
    }

    #[test]
    fn a_pong_is_awaited_for_less_than_a_ping_interval() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8000));
        for (ping, pong) in [(25, 8), (16, 8), (5, 3), (2, 1)] {
            let config = config(address, ping, false, 1);
            assert!(config.contains(&format!("ping_interval = \"{ping}s\"")), "{config}");
            assert!(config.contains(&format!("pong_timeout = \"{pong}s\"")), "{config}");
        }
    }
}

//! The server to which it happens.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde_json::{Value, json};

use crate::process::{self, Process};
use crate::spanwire::Spanwire;

/// A loopback address that nothing else here uses, so that a port stays free while no server listens at it.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 1);

/// The secret of connection tokens.
pub(super) const TOKEN_SECRET: &str = "secret of the scenes, long enough for HS256";

/// How a server is started.
pub(super) struct Setting {
    /// Its configuration, without its address.
    pub(super) config: Value,
    /// What a shell does before it becomes the server, such as `ulimit -v 65536`.
    pub(super) limits: String,
    /// A file for standard error, instead of ours.
    pub(super) stderr: Option<&'static str>,
    /// Environment variables.
    pub(super) environment: Vec<(String, String)>,
}

impl Default for Setting {
    fn default() -> Setting {
        let permissions = json!({
            "history_size": 2000, "history_ttl": "300s", "force_recovery": true,
            "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
            "allow_publish_for_client": true, "allow_publish_for_anonymous": true,
        });
        let config = json!({
            "log": { "level": "error" },
            "client": {
                "allow_anonymous_connect_without_token": true,
                "token": { "hmac_secret_key": TOKEN_SECRET },
            },
            "channel": { "without_namespace": permissions },
        });
        Setting { config, limits: "true".to_owned(), stderr: None, environment: Vec::new() }
    }
}

impl Setting {
    /// The usual one with changes.
    pub(super) fn with(change: impl FnOnce(&mut Setting)) -> Setting {
        let mut setting = Setting::default();
        change(&mut setting);
        setting
    }
}

/// A server that may be killed and started again, at the same address.
pub(super) struct Victim {
    address: SocketAddr,
    command: Command,
    process: Process,
}

impl Victim {
    pub(super) fn start(spanwire: &Spanwire, setting: Setting) -> Result<Victim> {
        let address = process::free_address(HOST)?;
        let mut config = setting.config;
        config["http_server"]["address"] = json!(address.ip().to_string());
        config["http_server"]["port"] = json!(address.port());
        let file =
            env::temp_dir().join(format!("spanwire-chaos-{}-{}.json", std::process::id(), address.port()));
        fs::write(&file, config.to_string()).context("cannot write the server's configuration")?;
        let mut command = Command::new("sh");
        let stderr = setting.stderr.map(|file| format!("2>{file}")).unwrap_or_default();
        command.arg("-c").arg(format!("{} && exec \"$0\" serve -c \"$1\" {stderr}", setting.limits));
        command.arg(spanwire.binary()).arg(&file).envs(setting.environment);
        let process = Process::start(&command)?;
        Ok(Victim { address, command, process })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it as a crash would, and starts another one that remembers nothing.
    pub(super) fn crash(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process = Process::start(&self.command)?;
        Ok(())
    }

    /// How many descriptors it has open.
    pub(super) fn descriptors(&self) -> Result<u64> {
        let listed = fs::read_dir(format!("/proc/{}/fd", self.process.pid()));
        Ok(listed.context("the server's descriptors cannot be listed")?.count() as u64)
    }

    /// Sets how many descriptors it may have from now on, and returns how many that were.
    pub(super) fn allow_descriptors(&self, count: u64) -> Result<u64> {
        let pid = Pid::from_raw(self.process.pid() as i32).context("a process id is not zero")?;
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        let limit = Rlimit { current: Some(count), maximum };
        let before = rustix::process::prlimit(Some(pid), Resource::Nofile, limit)?;
        before.current.context("the server has no limit of descriptors")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let file = self.command.get_args().last().map(std::path::PathBuf::from);
        // It may have been removed by hand; then it is gone as well.
        file.map(fs::remove_file);
    }
}

//! `spanwire`: the dev profile.

use std::time::Instant;

use super::banner::{Banner, authority};
use super::key_file::{KeyFile, runtime_directory};
use super::sources::{Overrides, Sources};
use super::{DevOptions, Exit, Failure, serve};
use crate::chance::Chance;
use crate::config::{Layer, Secret, Settings};

pub(super) fn run(options: &DevOptions, overrides: &Overrides, started: Instant) -> Result<(), Failure> {
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let keys = Keys { api: Secret::new(chance.text()), token: Secret::new(chance.text()) };
    let (settings, warnings) = settings(options, overrides, &keys)?;
    let (_last_lines, _) = serve::logging(&settings)?;
    serve::warn(&warnings);
    let node = serve::start(&settings, &mut chance)?;
    let listening =
        node.addresses().first().copied().ok_or_else(|| Failure::new(Exit::Failed, "nowhere to listen"))?;
    let place = authority(settings.http_server.address, listening);
    let key_file =
        runtime_directory().and_then(|runtime| KeyFile::leave(&runtime, listening.port(), &keys.api).ok());
    banner(options, &place, &keys, listening.port(), key_file.is_some()).print(started.elapsed());
    serve::until_told(node, settings.shutdown_timeout)
}

/// Drawn anew at each start, and printed once.
struct Keys {
    api: Secret,
    token: Secret,
}

fn settings(
    options: &DevOptions,
    overrides: &Overrides,
    keys: &Keys,
) -> Result<(Settings, Vec<String>), Failure> {
    let mut flags = Layer::new("command line");
    flags.set("http_server.port", options.port);
    if let Some(address) = &options.address {
        flags.set("http_server.address", address.as_str());
    }
    let Sources { layers, warnings } = Sources::collect(flags, overrides, None)?;
    let mut settings = Settings::dev(layers, &keys.api, &keys.token).map_err(serve::config_failure)?;
    settings.directory = options.directory.clone();
    if let Some(missing) = options.directory.as_ref().filter(|directory| !directory.is_dir()) {
        return Err(Failure::new(Exit::NoInput, format!("{} is not a directory", missing.display()))
            .fix("name a directory with an index.html in it, or a command: `spanwire --help` lists them"));
    }
    if !settings.http_server.address.is_loopback() {
        return Err(Failure::new(
            Exit::Config,
            "the dev profile lets anybody in, so it listens on loopback only",
        )
        .fix("to be reached by others: spanwire serve -c spanwire.toml"));
    }
    Ok((settings, warnings))
}

fn banner(options: &DevOptions, place: &str, keys: &Keys, port: u16, has_key_file: bool) -> Banner {
    let mut banner = Banner::new("dev profile (loopback only, anonymous allowed)");
    match &options.directory {
        Some(directory) => {
            banner.line("pages", &format!("http://{place}/   from {}", directory.display()));
            banner.line("demos", &format!("http://{place}/demos/"));
        }
        None => banner.line("demos", &format!("http://{place}/")),
    }
    banner.line("client", &format!("http://{place}/spanwire.js"));
    banner.line("websocket", &format!("ws://{place}/connection/websocket"));
    banner.line("server API", &format!("http://{place}/api/<method>   X-API-Key: {}", keys.api.reveal()));
    banner.line("tokens", &format!("HS256, secret: {}", keys.token.reveal()));
    let url = if port == 8000 { String::new() } else { format!(" --url http://{place}") };
    let key = if has_key_file { String::new() } else { format!(" --key {}", keys.api.reveal()) };
    banner.line("publish", &format!("spanwire pub{url}{key} news '{{\"text\":\"hello\"}}'"));
    banner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(address: Option<&str>) -> Result<Settings, Failure> {
        let keys = Keys { api: Secret::new("a"), token: Secret::new("t") };
        let options = DevOptions { directory: None, port: 0, address: address.map(str::to_owned) };
        settings(&options, &Overrides::default(), &keys).map(|(settings, _)| settings)
    }

    #[test]
    fn the_dev_profile_does_not_leave_the_machine() {
        for loopback in [None, Some("localhost"), Some("127.0.0.1"), Some("127.0.0.2"), Some("::1")] {
            assert!(with(loopback).is_ok(), "{loopback:?}");
        }
        for elsewhere in ["0.0.0.0", "::", "", "192.0.2.1", "example.org"] {
            assert_eq!(with(Some(elsewhere)).unwrap_err().exit, Exit::Config, "{elsewhere:?}");
        }
    }
}

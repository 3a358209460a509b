//! `spanwire serve`: the secure profile, and what both profiles do alike.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::banner::{Banner, authority};
use super::sources::{Overrides, Sources};
use super::{Exit, Failure, ServeOptions};
use crate::Profile;
use crate::chance::Chance;
use crate::config::{ConfigError, Layer, Reading, Settings};
use crate::log::{LastLines, Log};
use crate::node::{Node, StartError};
use crate::reload::{Again, LogLevel, Source};

pub(super) fn run(options: &ServeOptions, overrides: &Overrides, started: Instant) -> Result<(), Failure> {
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let (reading, warnings) = read(options, overrides)?;
    let settings = &reading.settings;
    let (_last_lines, log_level) = logging(settings)?;
    warn(&warnings);
    let mut node = start(settings, &mut chance)?;
    banner(options, settings, &node).print(started.elapsed());
    let shutdown_timeout = settings.shutdown_timeout;
    node.reads_again(Source { reading, again: again(options.clone(), overrides.clone()), log_level });
    until_told(node, shutdown_timeout)
}

/// How the same configuration is read again.
fn again(options: ServeOptions, overrides: Overrides) -> Again {
    Box::new(move || {
        let (reading, warnings) = read(&options, &overrides).map_err(|failure| failure.trouble)?;
        warn(&warnings);
        Ok(reading)
    })
}

pub(super) fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("config: {warning}");
    }
}

fn read(options: &ServeOptions, overrides: &Overrides) -> Result<(Reading, Vec<String>), Failure> {
    let mut flags = Layer::new("command line");
    if let Some(port) = options.port {
        flags.set("http_server.port", port);
    }
    if let Some(address) = &options.address {
        flags.set("http_server.address", address.as_str());
    }
    let sources = Sources::collect(flags, overrides, Some(&options.config))?;
    let settings = Settings::read(Profile::Secure, &sources.layers).map_err(config_failure)?;
    let mut warnings = sources.warnings;
    warnings.extend(settings.warnings());
    Ok((Reading::new(settings, &sources.layers), warnings))
}

pub(super) fn config_failure(error: ConfigError) -> Failure {
    let count = error.problems.len();
    let all = if count == 1 { String::new() } else { format!("{count} mistakes in the configuration:\n") };
    Failure::new(Exit::Config, format!("{all}{error}"))
}

/// Sends the log to stderr. Whoever ends holds what is returned first to the last, so that the last lines are written;
/// the second changes how much is logged.
pub(super) fn logging(settings: &Settings) -> Result<(LastLines, LogLevel), Failure> {
    let (log, last_lines) = Log::start(io::stderr()).map_err(|error| Failure::new(Exit::Failed, error))?;
    let (level, handle) = reload::Layer::new(settings.log_level);
    let log = tracing_subscriber::fmt()
        .with_writer(log)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // Where a line cannot be written, nor can a complaint about it: it would panic, and end who logged.
        .log_internal_errors(false)
        .with_max_level(LevelFilter::TRACE)
        .finish()
        .with(level)
        .with(filter_fn(is_for_operators));
    // A program that has this library in it may have a log already.
    let _ = log.try_init();
    let change = move |level| {
        // It fails when the log is gone, and then nobody reads it.
        let _ = handle.reload(level);
    };
    Ok((last_lines, Box::new(change)))
}

/// Libraries that we stand on log each frame and handshake, for those who write them; here they may only warn.
fn is_for_operators(line: &Metadata<'_>) -> bool {
    line.target().starts_with("spanwire") || *line.level() <= Level::WARN
}

/// Starts a node, or says why it does not start.
pub(super) fn start(settings: &Settings, chance: &mut Chance) -> Result<Node, Failure> {
    let port = settings.http_server.port;
    let error = match Node::start(settings, chance) {
        Ok(node) => return Ok(node),
        Err(StartError::Certificate(error)) => {
            return Err(Failure::new(Exit::Config, format!("http_server.tls: {error}"))
                .fix("a pair of files to try it with: spanwire dev-cert"));
        }
        Err(StartError::System(error)) => error,
    };
    Err(match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(Exit::Unavailable, format!("port {port} is taken"))
            .fix("choose another one with --port; --port 0 takes a free one"),
        io::ErrorKind::PermissionDenied => {
            Failure::new(Exit::Denied, format!("port {port} may not be listened at: {error}"))
                .fix("choose a port from 1024 on with --port")
        }
        io::ErrorKind::AddrNotAvailable => {
            Failure::new(Exit::Config, format!("http_server.address: {error}"))
                .fix("choose an address of this machine with --address")
        }
        _ => Failure::new(Exit::Failed, format!("the server cannot start: {error}")),
    })
}

/// Serves until the process is told to end, and has said goodbye to all clients.
pub(super) fn until_told(node: Node, shutdown_timeout: Duration) -> Result<(), Failure> {
    node.run(shutdown_timeout).map_err(|error| Failure::new(Exit::Failed, error))
}

fn banner(options: &ServeOptions, settings: &Settings, node: &Node) -> Banner {
    let mut banner = Banner::new(&options.config.display().to_string());
    let secure = if settings.http_server.tls.is_some() { "s" } else { "" };
    let key = if settings.http_api.keys.0.is_empty() { "   closed: http_api.key is not set" } else { "" };
    // Where both families of addresses have one name, that is one place.
    let mut places: Vec<_> =
        node.addresses().iter().map(|address| authority(settings.http_server.address, *address)).collect();
    places.dedup();
    for place in places {
        banner.line("websocket", &format!("ws{secure}://{place}/connection/websocket"));
        banner.line("server API", &format!("http{secure}://{place}/api/<method>{key}"));
    }
    banner
}

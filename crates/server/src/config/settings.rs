//! Every option there is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::Namespaces;

use super::backend::BackendReader;
use super::catalogue::Entry;
use super::client::{self, Client};
use super::http_server::{self, HttpServer};
use super::namespace::{self, TTL_MAX};
use super::reader::{Curiosity, Reader, Report};
use super::websocket::{self, WebSocket};
use super::{ConfigError, HttpApi, Layer, Secret, Transports, check, events, limits, personal};
use crate::backend::BackendSettings;
use crate::events::EventsSettings;
use crate::profile::Profile;

/// A configuration that has been read and checked.
///
/// What a field means, its default and its range stand where it is read, once: in the functions below.
#[derive(Debug)]
pub struct Settings {
    pub(crate) profile: Profile,
    /// Pages to serve at `/`; none are served without.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) http_server: HttpServer,
    pub(crate) http_api: HttpApi,
    pub(crate) health: bool,
    pub(crate) prometheus: bool,
    pub(crate) client: Client,
    pub(crate) websocket: WebSocket,
    pub(crate) transports: Transports,
    pub(crate) namespaces: Namespaces,
    pub(crate) backend: BackendSettings,
    /// Without it, nobody is told of the lives of clients.
    pub(crate) events: Option<EventsSettings>,
    pub(crate) node_name: String,
    pub(crate) limits: Limits,
    pub(crate) shards: usize,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) log_level: tracing::level_filters::LevelFilter,
}

/// What durations are told in.
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

impl Settings {
    /// Reads the settings from layers, of which the first one that has an option decides.
    ///
    /// # Errors
    /// Everything wrong with them, at once.
    pub fn read(profile: Profile, layers: &[Layer]) -> Result<Self, ConfigError> {
        Self::understand(profile, layers, Curiosity::None).0
    }

    /// Reads the settings, and tells of each option what was found and where.
    ///
    /// # Errors
    /// As for [`Settings::read`].
    pub fn explain(profile: Profile, layers: &[Layer]) -> (Result<Self, ConfigError>, Vec<Entry>) {
        Self::understand(profile, layers, Curiosity::Found)
    }

    /// Every option that there is, in the order in which they are explained.
    pub fn catalogue() -> Vec<Entry> {
        Self::understand(Profile::Secure, &[], Curiosity::All).1
    }

    fn understand(
        profile: Profile,
        layers: &[Layer],
        curiosity: Curiosity,
    ) -> (Result<Self, ConfigError>, Vec<Entry>) {
        let mut reader = Reader::new(layers, curiosity);
        let settings = Self::read_all(&mut reader, profile);
        check::limits(&mut reader, &settings.limits);
        let Report { problems, entries } = reader.finish();
        let outcome = if problems.is_empty() { Ok(settings) } else { Err(ConfigError { problems }) };
        (outcome, entries)
    }

    /// The configuration of the dev profile below these layers, with keys that somebody has just drawn.
    ///
    /// # Errors
    /// As for [`Settings::read`].
    pub fn dev(mut above: Vec<Layer>, api_key: &Secret, token_key: &Secret) -> Result<Self, ConfigError> {
        above.push(super::dev::layer(api_key, token_key));
        Self::read(Profile::Dev, &above)
    }

    /// What the hubs are told.
    pub(crate) fn hub(&self) -> spanwire_hub::Config {
        spanwire_hub::Config {
            limits: self.limits.clone(),
            namespaces: self.namespaces.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// What is allowed and still worth a word: a fact, its consequence, and the way out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        check::warnings(self)
    }

    fn read_all(reader: &mut Reader<'_>, profile: Profile) -> Self {
        let websocket = websocket::read(reader);
        let limits = limits::read(reader, websocket.message_size_limit);
        let backend = BackendReader::read(reader);
        Self {
            profile,
            directory: None,
            http_server: http_server::read(reader),
            http_api: HttpApi::read(reader),
            health: reader.flag("health.enabled", "whether /health answers", true),
            prometheus: reader.flag("prometheus.enabled", "whether /metrics answers", true),
            client: client::read(reader),
            websocket,
            transports: Transports::read(reader),
            limits,
            namespaces: namespaces(reader, &backend),
            backend: backend.finish(reader),
            events: reader.table("events", events::read),
            node_name: node_name(reader),
            shards: reader.count(
                "engine.shards",
                "how many threads serve clients; 0 is one per core",
                0,
                0..=SHARDS_MAX,
            ),
            shutdown_timeout: reader.duration(
                "shutdown.timeout",
                "how long clients may take to leave before the process ends",
                30 * SECOND,
                Duration::ZERO..=HOUR,
            ),
            log_level: log_level(reader),
        }
    }
}

/// Most shards: more cores than any machine has that this was tried on.
const SHARDS_MAX: usize = 256;
fn namespaces(reader: &mut Reader<'_>, backend: &BackendReader) -> Namespaces {
    let meta_ttl = reader.duration(
        "channel.history_meta_ttl",
        "how long after its last use a channel's position is kept",
        720 * HOUR,
        Duration::ZERO..=TTL_MAX,
    );
    let without_namespace =
        reader.table("channel.without_namespace", |reader| namespace::read(reader, meta_ttl, backend));
    let listed = reader.tables(
        "channel.namespaces",
        "families of channels and what clients may do in them",
        |number, table| match table.get("name").and_then(|name| name.as_str()) {
            Some(name) => name.to_owned(),
            None => number.to_string(),
        },
        |reader| {
            let name = reader.text("name", "what channels of this family begin with, before a colon", "");
            check::namespace_name(reader, &name);
            (name, Arc::new(namespace::read(reader, meta_ttl, backend)))
        },
    );
    let mut named = HashMap::new();
    for (name, namespace) in listed {
        if named.contains_key(&name) {
            reader.conflict("channel.namespaces", &format!("there are two of the name \"{name}\""));
        }
        named.insert(name, namespace);
    }
    let personal = personal::read(reader, |name| named.contains_key(name));
    Namespaces { without_namespace: Arc::new(without_namespace), named, personal }
}

/// What the node calls itself: the machine's name unless somebody says otherwise.
fn node_name(reader: &mut Reader<'_>) -> String {
    let said = reader.text("node.name", "what this node is called; empty is the name of its machine", "");
    if said.is_empty() { rustix::system::uname().nodename().to_string_lossy().into_owned() } else { said }
}

fn log_level(reader: &mut Reader<'_>) -> tracing::level_filters::LevelFilter {
    use tracing::level_filters::LevelFilter;
    let words = [
        ("trace", LevelFilter::TRACE),
        ("debug", LevelFilter::DEBUG),
        ("info", LevelFilter::INFO),
        ("warn", LevelFilter::WARN),
        ("error", LevelFilter::ERROR),
        ("none", LevelFilter::OFF),
    ];
    reader.choice("log.level", "how much is logged on stderr", LevelFilter::INFO, &words)
}

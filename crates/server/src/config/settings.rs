//! Every option there is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::Namespaces;

use super::backend::BackendReader;
use super::catalogue::Entry;
use super::namespace::{self, TTL_MAX};
use super::reader::{Curiosity, Reader, Report};
use super::{
    ConfigError, HttpApi, Layer, Secret, Tls, Transports, check, events, personal, rates, tls, token,
};
use crate::auth::Verifier;
use crate::backend::BackendSettings;
use crate::edge::limits::STREAMS_MAX;
use crate::edge::{ForwardedHeader, Proxies};
use crate::engine::Compression;
use crate::engine::limits::READ_BYTES;
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

#[derive(Debug)]
pub(crate) struct HttpServer {
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) proxies: Proxies,
    pub(crate) http2: Http2,
    /// Without it, clients speak without TLS.
    pub(crate) tls: Option<Tls>,
}

#[derive(Debug)]
pub(crate) struct Http2 {
    pub(crate) enabled: bool,
    pub(crate) max_concurrent_streams: u32,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// On every interface.
    Everywhere,
    /// On 127.0.0.1, and on ::1 where there is IPv6.
    Localhost,
    /// On this address only.
    Only(IpAddr),
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) connection_limit: usize,
    /// New connections a second; 0 is no limit, as for the next ones.
    pub(crate) connection_rate_limit: u32,
    pub(crate) ip_connection_limit: usize,
    pub(crate) ip_connection_rate_limit: u32,
    pub(crate) user_connection_limit: usize,
    pub(crate) anonymous: bool,
    pub(crate) anonymous_tokens: bool,
    pub(crate) tokens: Verifier,
    pub(crate) subscription_tokens: Option<Verifier>,
    pub(crate) auth_failure_rate: spanwire_hub::rate::Rate,
}

#[derive(Debug)]
pub(crate) struct WebSocket {
    pub(crate) message_size_limit: usize,
    pub(crate) write_timeout: Duration,
    /// `None` if it is off.
    pub(crate) compression: Option<CompressionSettings>,
}

#[derive(Debug)]
pub(crate) struct CompressionSettings {
    pub(crate) how: Compression,
    /// How many connections may take context over.
    pub(crate) contexts_max: usize,
}

impl Address {
    /// Whether nobody but this machine can come here.
    pub(crate) fn is_loopback(self) -> bool {
        match self {
            Self::Everywhere => false,
            Self::Localhost => true,
            Self::Only(address) => address.is_loopback(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Everywhere),
            "localhost" => Some(Self::Localhost),
            _ => text.parse().ok().map(Self::Only),
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

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
        let websocket = websocket(reader);
        let limits = fitting(limits(reader), websocket.message_size_limit);
        let rates = rates::of_clients(reader, limits.channels_per_client_max);
        let limits = Limits { rates, ..limits };
        let backend = BackendReader::read(reader);
        Self {
            profile,
            directory: None,
            http_server: http_server(reader),
            http_api: HttpApi::read(reader),
            health: reader.flag("health.enabled", "whether /health answers", true),
            prometheus: reader.flag("prometheus.enabled", "whether /metrics answers", true),
            client: client(reader),
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
/// Most connections that can be asked for: more than a process has descriptors for.
const CONNECTIONS_MAX: usize = 10_000_000;
/// Highest rate that can be asked for: more in a second than any machine shakes hands with.
const RATE_MAX: usize = 1_000_000;
/// Longest message a client may be allowed to send, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Shortest message that is worth compressing unless somebody says otherwise, in bytes: JSON below it shrinks by less
/// than its packet's own headers take.
const COMPRESSION_BYTES_MIN: usize = 128;

fn http_server(reader: &mut Reader<'_>) -> HttpServer {
    let address = reader.read(
        "http_server.address",
        "where to listen; empty is everywhere",
        "an IP address, \"localhost\" or \"\"",
        |value| Address::parse(value.as_str()?),
    );
    let port = reader.count("http_server.port", "where to listen; 0 takes a free port", 8000, 0..=65_535);
    // The range has just been checked, so that the cast loses nothing.
    HttpServer {
        address: address.unwrap_or(Address::Everywhere),
        port: port as u16,
        proxies: proxies(reader),
        http2: http2(reader),
        tls: tls::read(reader),
    }
}

fn proxies(reader: &mut Reader<'_>) -> Proxies {
    let networks = reader.list(
        "http_server.trusted_proxies",
        "which reverse proxies are believed when they say whose request they bring",
        "a list of IP addresses and networks in quotes, such as \"10.0.0.0/8\"",
        network,
    );
    let words = [
        ("x-forwarded-for", ForwardedHeader::XForwardedFor),
        ("forwarded", ForwardedHeader::Forwarded),
        ("none", ForwardedHeader::None),
    ];
    let header = reader.choice(
        "http_server.forwarded_header",
        "the header in which trusted proxies write the client's address",
        ForwardedHeader::XForwardedFor,
        &words,
    );
    let proxy_protocol = reader.flag(
        "http_server.proxy_protocol",
        "whether trusted proxies begin each connection with a PROXY protocol header",
        false,
    );
    if proxy_protocol && networks.is_empty() {
        reader.conflict("http_server.proxy_protocol", "needs http_server.trusted_proxies, which may send it");
    }
    Proxies { networks, header, proxy_protocol }
}

/// A network, or one address as the network of itself.
fn network(text: &str) -> Option<IpNet> {
    let network: Option<IpNet> = text.parse().ok();
    network.or_else(|| text.parse().ok().map(|address: IpAddr| address.to_canonical().into()))
}

fn rate(reader: &mut Reader<'_>, key: &'static str, doc: &'static str, default: usize) -> u32 {
    // The range fits, so that the cast loses nothing.
    reader.count(key, doc, default, 0..=RATE_MAX) as u32
}

fn http2(reader: &mut Reader<'_>) -> Http2 {
    let enabled = reader.flag("http_server.http2.enabled", "whether HTTP/2 is spoken beside HTTP/1.1", true);
    let streams = reader.count(
        "http_server.http2.max_concurrent_streams",
        "how many requests and WebSockets one connection of HTTP/2 may carry at a time",
        256,
        1..=STREAMS_MAX,
    );
    // The range fits, so that the cast loses nothing.
    Http2 { enabled, max_concurrent_streams: streams as u32 }
}

fn client(reader: &mut Reader<'_>) -> Client {
    Client {
        allowed_origins: reader.texts(
            "client.allowed_origins",
            "which web pages may connect besides those of this host; * in them fits anything",
        ),
        connection_limit: reader.count(
            "client.connection_limit",
            "how many connections are served at once; 0 is as many as the system allows",
            0,
            0..=CONNECTIONS_MAX,
        ),
        connection_rate_limit: rate(
            reader,
            "client.connection_rate_limit",
            "how many clients are let in in a second; 0 is any number",
            20_000,
        ),
        ip_connection_limit: reader.count(
            "client.ip_connection_limit",
            "how many connections one public IP address may have, or one /64 network of IPv6; 0 is any number",
            4096,
            0..=CONNECTIONS_MAX,
        ),
        ip_connection_rate_limit: rate(
            reader,
            "client.ip_connection_rate_limit",
            "how many clients of one public IP address are let in in a second; 0 is any number",
            200,
        ),
        user_connection_limit: reader.count(
            "client.user_connection_limit",
            "how many connections a user may have; 0 is any number",
            0,
            0..=CONNECTIONS_MAX,
        ),
        anonymous: reader.flag(
            "client.allow_anonymous_connect_without_token",
            "whether clients may connect without a token, under the empty user id",
            false,
        ),
        anonymous_tokens: !reader.flag(
            "client.disallow_anonymous_connection_tokens",
            "whether a connection token must name a user",
            false,
        ),
        tokens: reader.table("client.token", token::read).unwrap_or_default(),
        subscription_tokens: subscription_tokens(reader),
        auth_failure_rate: rates::of_auth_failures(reader),
    }
}

/// Subscription tokens are verified as connection tokens are, unless they have keys and rules of their own.
fn subscription_tokens(reader: &mut Reader<'_>) -> Option<Verifier> {
    let mut enabled = false;
    let verifier = reader.table("client.subscription_token", |reader| {
        enabled =
            reader.flag("enabled", "whether subscription tokens have keys and rules of their own", false);
        token::read(reader)
    });
    if enabled && verifier.is_none() {
        reader.conflict("client.subscription_token.enabled", "needs a key");
    }
    verifier.filter(|_| enabled)
}

fn websocket(reader: &mut Reader<'_>) -> WebSocket {
    WebSocket {
        message_size_limit: reader.count(
            "websocket.message_size_limit",
            "how many bytes a client may send in one message",
            65_536,
            1024..=MESSAGE_BYTES_MAX,
        ),
        write_timeout: reader.duration(
            "websocket.write_timeout",
            "how long a client may read nothing of what it is sent",
            10 * SECOND,
            SECOND..=HOUR,
        ),
        compression: compression(reader),
    }
}

fn compression(reader: &mut Reader<'_>) -> Option<CompressionSettings> {
    let enabled = reader.flag(
        "websocket.compression",
        "whether messages are compressed for clients that offer it (permessage-deflate)",
        false,
    );
    let level = reader.count(
        "websocket.compression_level",
        "how hard it tries: 1 is the fastest, 9 makes the smallest",
        1,
        1..=9,
    );
    let bytes_min = reader.count(
        "websocket.compression_min_size",
        "messages of fewer bytes are sent as they are",
        COMPRESSION_BYTES_MIN,
        0..=MESSAGE_BYTES_MAX,
    );
    let takeover = reader.flag(
        "websocket.compression_context_takeover",
        "whether messages may refer to those before them: smaller, at 0.35 MB and a compressor for each client",
        false,
    );
    let contexts_max = reader.count(
        "websocket.compression_context_limit",
        "how many clients may have that at once; others are served without",
        1000,
        1..=CONNECTIONS_MAX,
    );
    // The range has just been checked, so that the cast loses nothing.
    enabled.then_some(CompressionSettings {
        how: Compression { level: level as u8, bytes_min },
        contexts_max: if takeover { contexts_max } else { 0 },
    })
}

fn limits(reader: &mut Reader<'_>) -> Limits {
    let default = Limits::default();
    let any = Duration::ZERO..=HOUR;
    let needed = SECOND..=HOUR;
    Limits {
        outbox_bytes_max: reader.count(
            "client.queue_max_size",
            "how many bytes a client may leave unread",
            default.outbox_bytes_max,
            1024..=1 << 30,
        ),
        channels_per_client_max: reader.count(
            "client.channel_limit",
            "how many channels a client may be subscribed to",
            default.channels_per_client_max,
            1..=100_000,
        ),
        channel_name_bytes_max: reader.count(
            "channel.max_length",
            "how many bytes a channel's name may have",
            default.channel_name_bytes_max,
            1..=4096,
        ),
        history_publications_max: reader.count(
            "client.history_max_publication_limit",
            "how many publications a client gets of a history at once",
            default.history_publications_max,
            1..=100_000,
        ),
        recovery_publications_max: reader.count(
            "client.recovery_max_publication_limit",
            "how many missed publications a client can recover",
            default.recovery_publications_max,
            1..=100_000,
        ),
        stale_close_delay: reader.duration(
            "client.stale_close_delay",
            "how long a connection may take to its connect command",
            default.stale_close_delay,
            needed.clone(),
        ),
        ping_interval: reader.duration(
            "client.ping_interval",
            "how often clients are pinged; 0s is never",
            default.ping_interval,
            any.clone(),
        ),
        pong_timeout: reader.duration(
            "client.pong_timeout",
            "how long a client may take to answer a ping; 0s is forever",
            default.pong_timeout,
            any.clone(),
        ),
        expired_close_delay: reader.duration(
            "client.expired_close_delay",
            "how long a connection may outlive its token",
            default.expired_close_delay,
            any.clone(),
        ),
        expired_sub_close_delay: reader.duration(
            "client.expired_sub_close_delay",
            "how long a subscription may outlive its token",
            default.expired_sub_close_delay,
            any,
        ),
        ..default
    }
}

/// Makes room in the hub for what the transport lets through: a message that is not too long for the one must not
/// be so for the other.
fn fitting(limits: Limits, message_size_limit: usize) -> Limits {
    let commands = spanwire_wire::Limits {
        message_bytes_max: message_size_limit,
        // The connect command and the subscriptions of all channels may come in one frame.
        messages_per_frame_max: limits
            .commands
            .messages_per_frame_max
            .max(limits.channels_per_client_max + 1),
    };
    let backlog_bytes_max = limits.backlog_bytes_max.max(message_size_limit + READ_BYTES);
    Limits { commands, backlog_bytes_max, ..limits }
}

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

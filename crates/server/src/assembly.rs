//! What settings become before anything runs: the same for a node of its own and for a hub within an application.

use std::io;
use std::sync::Arc;
use std::thread;

use crate::api::CurrentAccess;
use crate::auth::{Authorize, Gate};
use crate::backend::Backend;
use crate::chance::Chance;
use crate::config::Settings;
use crate::descriptors;
use crate::edge::Edge;
use crate::engine::{Compression, EngineConfig, Serve};
use crate::events::Engaged;
use crate::metrics::EdgeCounters;
use crate::tls::Acceptor;

/// The parts, put together. Only the backend's desk works already; it waits for questions.
pub(crate) struct Assembly {
    /// Who may call the server API.
    pub(crate) access: CurrentAccess,
    pub(crate) edge: Edge,
    /// Who tells the backend what happens, if it wants to know.
    pub(crate) courier: Option<Engaged>,
    /// An engine that listens nowhere and serves nobody: whoever starts it says where, and by what.
    pub(crate) engine: EngineConfig,
}

impl Assembly {
    /// `acceptor` shakes hands, if TLS is spoken.
    ///
    /// # Errors
    /// The system has no thread or descriptor left, or no certificates that an `https` backend could be known by.
    pub(crate) fn new(
        settings: &Settings,
        acceptor: Option<Acceptor>,
        counters: Arc<EdgeCounters>,
        chance: &mut Chance,
    ) -> io::Result<Self> {
        let uid = chance.text();
        let courier = settings.events.clone();
        let courier = courier.map(|events| Engaged::new(events, &settings.node_name, &uid, chance.seed()));
        let courier = courier.transpose()?;
        let access = CurrentAccess::of(settings);
        counters.keys_are_published_at(settings.client.publishers_of_keys());
        Ok(Self {
            edge: Edge::new(settings, access.clone(), uid, acceptor, counters, chance),
            engine: engine(settings, courier.as_ref(), chance)?,
            access,
            courier,
        })
    }
}

fn engine(settings: &Settings, courier: Option<&Engaged>, chance: &mut Chance) -> io::Result<EngineConfig> {
    let shards = match settings.shards {
        0 => thread::available_parallelism()?.get(),
        some => some,
    };
    let authorize: Arc<dyn Authorize> = Arc::new(Gate::of(settings));
    let backend = match settings.backend.proxies.is_empty() {
        true => None,
        false => Some(Backend::start(settings.backend.clone(), authorize.clone(), chance.seed())?),
    };
    let descriptors = descriptors::raise();
    let for_backend = settings.backend.connections_max().min(descriptors / 2);
    Ok(EngineConfig {
        shards,
        listen: Vec::new(),
        connections_max: descriptors::connections_max(descriptors - for_backend, shards),
        user_connections_max: settings.client.user_connection_limit,
        message_bytes_max: settings.websocket.message_size_limit,
        write_timeout: settings.websocket.write_timeout,
        compression: compression(settings),
        hub: settings.hub(),
        auth_failure_rate: settings.client.auth_failure_rate,
        authorize,
        backend,
        events: courier.map(Engaged::events),
        onlooker: None,
        serve: nobody(),
        seed: chance.seed(),
    })
}

/// How messages are compressed. If compression is off, no handshake agrees on it, and this is never asked.
fn compression(settings: &Settings) -> Compression {
    settings.websocket.compression.as_ref().map_or_else(Compression::default, |compression| compression.how)
}

fn nobody() -> Serve {
    Arc::new(|_| Box::pin(std::future::ready(())))
}

//! The HTTP edge: every connection begins here, and leaves as a WebSocket, or stays and asks for pages and the API.
//!
//! Upgrades take a short way of their own: no router, no allocation that the answer does not need. The socket then
//! leaves HTTP for good, and goes to the shard's own poller together with what was read ahead.

mod answer;
mod connection;
mod endpoint;
pub mod limits;
mod patience;
mod routes;
mod strangers;
mod upgrade;

pub(crate) use answer::plain;

use std::sync::Arc;

use axum::Router;

use self::strangers::Strangers;
use crate::api::Api;
use crate::auth::{HostPolicy, OriginPolicy};
use crate::config::Settings;
use crate::engine::stats::ShardSnapshot;
use crate::engine::{EngineHandle, Serve};
use crate::metrics::EdgeCounters;

/// Serves HTTP on accepted sockets. One for all shards; nothing in it is locked on the way of an upgrade.
pub struct Edge {
    hosts: HostPolicy,
    origins: OriginPolicy,
    strangers: Strangers,
    has_echo: bool,
    /// Most WebSockets at a time; 0 is no limit.
    connection_limit: usize,
    routes: Router,
    counters: Arc<EdgeCounters>,
}

impl Edge {
    /// The edge that these settings describe.
    ///
    /// `uid` is the node's name of itself in the server API.
    pub fn new(settings: &Settings, uid: String, counters: Arc<EdgeCounters>) -> Self {
        let api = Api::new(settings, uid, counters.clone());
        Self {
            hosts: settings.profile.host_policy(),
            origins: OriginPolicy::new(settings.client.allowed_origins.iter().cloned()),
            strangers: Strangers::default(),
            has_echo: settings.profile.shows_demos(),
            connection_limit: settings.client.connection_limit,
            routes: routes::routes(settings, api, counters.clone()),
            counters,
        }
    }

    /// Whether there are as many WebSockets as there may be. Two handshakes at the same moment may both take the
    /// last place; the engine's own bound on connections is a hard one.
    fn is_full(&self, engine: &EngineHandle) -> bool {
        if self.connection_limit == 0 {
            return false;
        }
        let open = |shard: &ShardSnapshot| shard.connections_opened.saturating_sub(shard.connections_closed);
        engine.stats().iter().map(open).sum::<u64>() >= self.connection_limit as u64
    }

    /// What the engine calls with each accepted socket.
    pub fn into_serve(self) -> Serve {
        let edge = Arc::new(self);
        Arc::new(move |incoming| Box::pin(connection::serve(edge.clone(), incoming)))
    }
}

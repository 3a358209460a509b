//! The HTTP edge: every connection begins here, and leaves as a WebSocket, or stays and asks for pages and the API.
//!
//! Upgrades take a short way of their own: no router, no allocation that the answer does not need. The socket then
//! leaves HTTP for good, and goes to the shard's own poller together with what was read ahead.

mod answer;
pub(crate) mod body;
mod bridge;
mod compressing;
mod connection;
mod conversation;
mod door;
mod endpoint;
pub mod forwarded;
pub mod framing;
mod guarded;
mod guest;
mod http1;
mod http2;
mod introduction;
pub mod limits;
mod patience;
mod preface;
mod proxies;
pub mod proxy_protocol;
mod rate;
mod routes;
mod same_origin;
mod strangers;
mod stream;
mod transports;
mod upgrade;

pub(crate) use answer::plain;
pub(crate) use guest::{PATHS, answer as answer_guest};
pub use proxies::{ForwardedHeader, Proxies};
pub(crate) use same_origin::same_origin;

use std::sync::Arc;

use axum::Router;

use self::compressing::Compressing;
use self::door::Door;
use self::strangers::Strangers;
use self::transports::Transports;
use crate::api::{Api, CurrentAccess};
use crate::auth::{HostPolicy, OriginPolicy};
use crate::backend::Wanted;
use crate::chance::Chance;
use crate::config::{HttpTimeouts, Settings};
use crate::dev_proxy::DevProxy;
use crate::engine::Serve;
use crate::metrics::EdgeCounters;
use crate::tls::Acceptor;

/// Serves HTTP on accepted sockets. One for all shards; nothing in it is locked on the way of an upgrade.
pub struct Edge {
    door: Door,
    proxies: Proxies,
    hosts: HostPolicy,
    origins: OriginPolicy,
    strangers: Strangers,
    has_echo: bool,
    timeouts: HttpTimeouts,
    compressing: Option<Compressing>,
    has_http2: bool,
    /// Most requests at a time on one connection of HTTP/2.
    streams_max: u32,
    /// What holds for WebSockets among them.
    websocket: http2::Terms,
    /// Headers that the backend wants to see.
    wanted: Wanted,
    /// Only the dev profile has routes to it.
    dev_proxy: Arc<DevProxy>,
    routes: Router,
    /// Without it, clients come without TLS.
    tls: Option<Acceptor>,
    transports: Transports,
    counters: Arc<EdgeCounters>,
}

impl Edge {
    /// The edge that these settings describe.
    ///
    /// `access` says who may call the server API; `uid` is the node's name of itself in the server API; `tls` shakes hands, if TLS is spoken.
    pub(crate) fn new(
        settings: &Settings,
        access: CurrentAccess,
        uid: String,
        tls: Option<Acceptor>,
        counters: Arc<EdgeCounters>,
        chance: &mut Chance,
    ) -> Self {
        let api = Arc::new(Api::new(settings, access, uid.clone(), counters.clone()));
        let dev_proxy = Arc::new(DevProxy::default());
        Self {
            door: Door::new(settings),
            proxies: settings.http_server.proxies.clone(),
            hosts: settings.profile.host_policy(),
            origins: OriginPolicy::new(settings.client.allowed_origins.iter().cloned()),
            strangers: Strangers::default(),
            compressing: Compressing::new(settings),
            has_echo: settings.profile.shows_demos(),
            timeouts: settings.http_server.timeouts,
            has_http2: settings.http_server.http2.enabled,
            streams_max: settings.http_server.http2.max_concurrent_streams,
            websocket: http2::Terms::of(settings),
            wanted: settings.backend.wanted(),
            tls,
            transports: Transports::new(settings.transports.clone(), uid, chance),
            routes: routes::routes(settings, api, &dev_proxy, counters.clone()),
            dev_proxy,
            counters,
        }
    }

    /// The bad network of the dev profile, to be told where the server listens.
    pub(crate) fn dev_proxy(&self) -> Arc<DevProxy> {
        self.dev_proxy.clone()
    }

    /// What the engine calls with each accepted socket.
    pub fn into_serve(self) -> Serve {
        let edge = Arc::new(self);
        Arc::new(move |incoming| Box::pin(connection::serve(edge.clone(), incoming)))
    }
}

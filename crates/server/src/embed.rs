//! Spanwire within an application: the same engine, without a process of its own.
//!
//! An axum application adds [`Hub::router`] to its routes and has everything that the server has: WebSockets, the
//! transports for networks that let none through, the browser's client, channels with history and recovery. What a
//! backend would be asked by HTTP, the application answers by closures; what it would order by the server API, it
//! calls on the [`Hub`].
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use spanwire::{Accept, ConnectCtx, Hub, Namespace, Reject, RpcCtx};
//!
//! # async fn serve(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::builder()
//!     .namespace("chat", Namespace::open().history(500, Duration::from_secs(86_400)).recover().presence())
//!     .on_connect(async |c: ConnectCtx| match c.token.as_str() {
//!         "let me in" => Ok(Accept::user("ann").join("news")),
//!         _ => Err(Reject::denied("a token is wanted")),
//!     })
//!     .rpc("add", async |_: RpcCtx, (a, b): (i64, i64)| Ok(a + b))
//!     .build()
//!     .await?;
//! let app = axum::Router::new().merge(hub.router());
//! let published = hub.publish("news", "good morning").await?;
//! assert_eq!(published.offset, None); // That channel has no history.
//! axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(async {
//!     let _ = tokio::signal::ctrl_c().await;
//! })).await?;
//! # Ok(()) }
//! ```
//!
//! The guide is `docs/embedding.md`.

mod blueprint;
mod builder;
mod calls;
mod context;
mod farewells;
mod house;
mod limits;
mod namespace;
mod publish;
mod reject;
mod replies;
mod router;
mod running;
mod service;
mod verdict;

use std::sync::{Arc, OnceLock, Weak};

pub(crate) use self::blueprint::Blueprint;
pub use self::builder::{BuildError, Builder};
pub use self::calls::{CallError, History};
pub use self::context::{Conn, ConnectCtx, PublishCtx, RefreshCtx, RpcCtx, SubRefreshCtx, SubscribeCtx};
pub use self::farewells::DisconnectCtx;
pub(crate) use self::farewells::Farewell;
pub(crate) use self::house::{Desks, House};
pub use self::limits::HandlerLimits;
pub use self::namespace::Namespace;
pub use self::publish::{Publish, Published};
pub use self::reject::Reject;
pub use self::running::termination;
pub use self::service::HubService;
pub use self::verdict::{Accept, Allow, Pub, Renew, Terms};
use spanwire_hub::namespace::Namespaces;

/// What an application holds of the sessions and channels that it serves. Cheap to clone; with the last clone, and the
/// last router made from one, the engine ends.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    house: House,
    namespaces: Namespaces,
    channel_name_bytes_max: usize,
}

/// The hub as its own handlers know it: they must not keep it from ending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own(Arc<OnceLock<Weak<Inside>>>);

impl Hub {
    /// Begins to describe a hub.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(
        house: House,
        namespaces: Namespaces,
        channel_name_bytes_max: usize,
        own: &Own,
    ) -> Self {
        let inside = Arc::new(Inside { house, namespaces, channel_name_bytes_max });
        // Each hub is made with an `Own` of its own.
        let _ = own.0.set(Arc::downgrade(&inside));
        Self(inside)
    }
}

impl Own {
    /// The hub, while it lives.
    pub(crate) fn hub(&self) -> Option<Hub> {
        self.0.get()?.upgrade().map(Hub)
    }
}

/// The guide, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Guide;

//! A hub's engine, while it runs.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::Hub;
use super::farewells::Farewells;
use crate::assembly::Assembly;
use crate::chance::Chance;
use crate::config::Settings;
use crate::edge::{self, Edge};
use crate::engine::{Engine, EngineConfig, EngineHandle, ShardHandle};
use crate::events::{Courier, Engaged};
use crate::metrics::{self, EdgeCounters};

/// An engine without listeners: its connections are brought to it.
pub(crate) struct Running {
    engine: EngineHandle,
    /// Tells a backend what happens, if one wants to know, until the hub has drained.
    courier: Mutex<Option<Courier>>,
    edge: Arc<Edge>,
    counters: Arc<EdgeCounters>,
    /// The shards take connections in turn.
    next: AtomicUsize,
    /// How long clients may take to leave.
    grace: Duration,
    /// `true` once the engine has ended, whatever the reason.
    over: watch::Receiver<bool>,
    /// Tells the application who is gone, if it wants to know.
    farewells: Option<Arc<Farewells>>,
}

impl Running {
    pub(super) fn start(settings: &Settings, farewells: Option<Arc<Farewells>>) -> io::Result<Self> {
        let mut chance = Chance::from_system().map_err(|error| io::Error::other(error.to_string()))?;
        let counters = Arc::new(EdgeCounters::new(SystemTime::now()));
        let assembly = Assembly::new(settings, None, counters.clone(), &mut chance)?;
        let Assembly { edge, courier, engine, .. } = assembly;
        let onlooker = farewells.clone().map(Farewells::onlooker);
        let engine = Engine::start(EngineConfig { onlooker, ..engine })?;
        let courier = Mutex::new(courier.map(Engaged::start).transpose()?);
        let (report, over) = watch::channel(false);
        let handle = engine.handle();
        tokio::spawn(look_after(engine, report));
        let (next, grace) = (AtomicUsize::new(0), settings.shutdown_timeout);
        Ok(Self { engine: handle, courier, edge: Arc::new(edge), counters, next, grace, over, farewells })
    }

    pub(super) fn engine(&self) -> &EngineHandle {
        &self.engine
    }

    /// Answers a request that the application's server has received.
    pub(super) async fn answer(&self, peer: SocketAddr, request: Request<Body>) -> Response {
        edge::answer_guest(self.edge.clone(), self.next_shard(), peer, request).await
    }

    fn next_shard(&self) -> ShardHandle {
        self.engine.shard(self.next.fetch_add(1, Ordering::Relaxed) % self.engine.shards())
    }

    async fn metrics(&self) -> String {
        metrics::of(&self.engine, &self.counters).await
    }

    /// Closes every session, and then tells a backend of it that wants to know, within the grace.
    async fn drain(&self) {
        let deadline = Instant::now() + self.grace;
        self.engine.drain(self.grace).await;
        if let Some(farewells) = &self.farewells {
            let _ = timeout_at(deadline.into(), farewells.done()).await;
        }
        let courier = self.courier.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(courier) = courier {
            courier.finish(deadline).await;
        }
    }

    /// Waits until the engine has ended.
    async fn ended(&self) {
        // The one who reports may be gone together with its runtime, which is an end too.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }
}

/// Whoever forgets to say goodbye has the threads of the engine end all the same.
impl Drop for Running {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// A shard that is lost takes channels with it that nobody else has. So all of them end, and the application is told.
async fn look_after(mut engine: Engine, report: watch::Sender<bool>) {
    if let Err(failure) = engine.ended().await {
        tracing::error!("{failure}; the hub has ended, and with it every session");
    }
    report.send_replace(true);
    engine.stop();
}

impl Hub {
    /// Closes every session with code 3001, so that clients come back elsewhere or later, and waits until all have gone,
    /// for `shutdown.timeout` (30 s) at most. Who comes meanwhile is answered 503.
    pub async fn drain(&self) {
        if let Some(running) = self.0.house.running() {
            running.drain().await;
        }
    }

    /// For axum's `with_graceful_shutdown`: waits for the signal, then [drains](Self::drain). So clients have gone when
    /// the server stops. If the hub ends because a shard was lost, that is a signal too.
    pub fn drain_on<S: Future + Send + 'static>(
        &self,
        signal: S,
    ) -> impl Future<Output = ()> + Send + 'static {
        let hub = self.clone();
        async move {
            tokio::select! {
                _ = signal => {}
                () = hub.ended() => {}
            }
            hub.drain().await;
        }
    }

    /// Waits until the hub has ended because a shard was lost: the process has then lost sessions and channels, and had
    /// better begin anew.
    pub async fn ended(&self) {
        match self.0.house.running() {
            Some(running) => running.ended().await,
            None => std::future::pending().await,
        }
    }

    /// What the server shows at `/metrics`, for a route of the application's own: text in the format of Prometheus.
    pub async fn metrics(&self) -> String {
        match self.0.house.running() {
            Some(running) => running.metrics().await,
            None => String::new(),
        }
    }
}

/// Waits for SIGTERM or SIGINT, by which systems and people ask a process to end. For [`Hub::drain_on`].
///
/// # Errors
/// The system lets nobody wait for signals.
pub async fn termination() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

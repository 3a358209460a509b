//! Disconnects, on their way to the application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use spanwire_hub::happening::{Happening, What};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::{HandlerLimits, Hub, Own};
use crate::engine::Onlooker;

/// What an application does when a client is gone.
pub(crate) type Farewell = Arc<dyn Fn(DisconnectCtx) -> BoxFuture<'static, ()> + Send + Sync>;

/// A client that is gone.
#[derive(Clone, Debug)]
pub struct DisconnectCtx {
    /// Its user; empty is anonymous.
    pub user: String,
    /// Its id.
    pub client: String,
    /// Why: 3000 if it left by itself or was cut off, else the code that it was told.
    pub code: u32,
    /// Why, in words.
    pub reason: String,
    hub: Hub,
}

/// Brings disconnects to a handler: no more at a time, and no more waiting, than it may take.
pub(crate) struct Farewells {
    notices: mpsc::Sender<Happening>,
    /// How many are not done.
    pending: watch::Sender<usize>,
    has_warned: AtomicBool,
}

impl DisconnectCtx {
    /// `None` of what is no disconnect.
    pub(crate) fn of(happening: &Happening, hub: Hub) -> Option<Self> {
        let What::Disconnected(reason) = &happening.what else { return None };
        Some(Self {
            user: happening.user.as_ref().to_owned(),
            client: happening.client.clone(),
            code: reason.code(),
            reason: reason.text().to_owned(),
            hub,
        })
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

pub(super) fn on_disconnect<F, Fut>(handler: F) -> Farewell
where
    F: Fn(DisconnectCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |gone| handler(gone).boxed())
}

impl Farewells {
    /// Begins to attend to disconnects, on the runtime from which it is called.
    pub(super) fn attend(farewell: Farewell, limits: HandlerLimits, own: Own) -> Arc<Self> {
        let (notices, inbox) = mpsc::channel(limits.waiting_max.max(1));
        let (pending, has_warned) = (watch::Sender::new(0), AtomicBool::new(false));
        let farewells = Arc::new(Self { notices, pending: pending.clone(), has_warned });
        tokio::spawn(work(inbox, farewell, limits, own, pending));
        farewells
    }

    /// Who tells us, at the end of a shard's turn.
    pub(super) fn onlooker(self: Arc<Self>) -> Onlooker {
        Onlooker::new(move |happening| self.take(happening))
    }

    /// Waits until the handler has heard of everybody who is gone.
    pub(super) async fn done(&self) {
        // There is no error: the sender is our own.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    fn take(&self, happening: &Happening) {
        if !matches!(happening.what, What::Disconnected(_)) {
            return;
        }
        self.pending.send_modify(|pending| *pending += 1);
        if self.notices.try_send(happening.clone()).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
            if !self.has_warned.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    "on_disconnect: more clients go than it takes in time, and it is not told of all; \
                     make it faster, or raise waiting_max of its limits"
                );
            }
        }
    }
}

async fn work(
    mut inbox: mpsc::Receiver<Happening>,
    farewell: Farewell,
    limits: HandlerLimits,
    own: Own,
    pending: watch::Sender<usize>,
) {
    let room = Arc::new(Semaphore::new(limits.in_flight_max.max(1)));
    while let Some(happening) = inbox.recv().await {
        // The semaphore is never closed.
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let done = Done(pending.clone());
        let Some(gone) = own.hub().and_then(|hub| DisconnectCtx::of(&happening, hub)) else { continue };
        let farewell = farewell.clone();
        tokio::spawn(async move {
            // Given back however the handler ends, by a panic too.
            let _kept = (place, done);
            if timeout(limits.timeout, farewell(gone)).await.is_err() {
                tracing::warn!("on_disconnect: not done within {:?}", limits.timeout);
            }
        });
    }
}

/// One that is done when this is dropped.
struct Done(watch::Sender<usize>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.send_modify(|pending| *pending -= 1);
    }
}

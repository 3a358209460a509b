//! The courier: the thread that brings events to the endpoint, one request at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot, watch};

use super::line::Line;
use super::persistence::Outcome;
use super::settings::EventsSettings;
use super::telling::{Ended, Errand, News, Telling};
use super::{Events, Shared, unix_ms};

/// The courier of a node. Dropped, it stops where it is.
#[derive(Debug)]
pub struct Courier {
    events: Events,
    /// By when it is to be done.
    end: watch::Sender<Option<Instant>>,
    done: oneshot::Receiver<()>,
}

/// A courier that has not begun: the node it works for may still fail to start, and then has nothing to tell.
pub struct Engaged {
    events: Events,
    round: Round,
    runtime: Runtime,
}

impl Engaged {
    /// `node` is what the endpoint is to call this node, `epoch` this life of it.
    ///
    /// # Errors
    /// There are no certificates that an `https` endpoint could be known by, or the system has no descriptor left.
    pub fn new(settings: EventsSettings, node: &str, epoch: &str, seed: [u8; 32]) -> io::Result<Self> {
        let (line, lines) = watch::channel(Arc::new(Events::line(&settings.recipient)?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let EventsSettings { telling, .. } = settings;
        let shared = Arc::new(Shared {
            reports: telling.reports(),
            fill: telling.batch.events_max,
            telling: Mutex::new(Telling::new(telling, node, epoch, unix_ms(), seed)),
            bell: Notify::new(),
            line,
            requests: Mutex::new(BTreeMap::new()),
        });
        let round = Round { lines, shared: shared.clone() };
        Ok(Self { events: Events { shared }, round, runtime })
    }

    /// By which shards tell.
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The system has none left.
    pub fn start(self) -> io::Result<Courier> {
        let Self { events, round, runtime } = self;
        let ((end, told), (report, done)) = (watch::channel(None), oneshot::channel());
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            runtime.block_on(round.work(told));
            // Whoever gave up waiting does not want to know.
            let _ = report.send(());
        })?;
        Ok(Courier { events, end, done })
    }
}

impl Courier {
    /// Brings what is left, until this time at the latest. By now nobody tells anything more.
    pub async fn finish(self, deadline: Instant) {
        let Self { events, end, done } = self;
        events.shared.telling().stopped(unix_ms());
        // A thread that has ended has nothing left to do.
        let _ = end.send(Some(deadline));
        let _ = done.await;
        let lost = events.shared.telling().queued();
        if lost > 0 {
            tracing::error!("events: the backend was not told of the last {lost} before the end");
        }
    }
}

/// What the thread works with.
struct Round {
    /// The way to the endpoint, which may become another one.
    lines: watch::Receiver<Arc<Line>>,
    shared: Arc<Shared>,
}

impl Round {
    /// Works until everything is brought and nobody can tell more, or its time is over.
    async fn work(mut self, mut end: watch::Receiver<Option<Instant>>) {
        let shared = self.shared.clone();
        loop {
            let is_ending = end.borrow_and_update().is_some();
            let errand = shared.telling().next(Instant::now(), is_ending);
            let pause = match errand {
                Errand::Wait(_) if is_ending => return,
                Errand::Wait(until) => tokio::select! {
                    () = shared.bell.notified() => continue,
                    () = sleep_until(until) => continue,
                    changed = end.changed() => if changed.is_ok() { continue } else { return },
                },
                Errand::Bring(body) => tokio::select! {
                    pause = self.bring(body) => pause,
                    () = over(end.clone()) => return,
                },
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = over(end.clone()) => return,
                // Whoever waits for us to end has no time for long pauses.
                _ = end.changed() => {}
                // Another endpoint has not failed yet.
                _ = self.lines.changed() => {}
            }
        }
    }

    /// Sends one request. How long to wait before the next one.
    async fn bring(&mut self, body: Bytes) -> Duration {
        let line = self.lines.borrow_and_update().clone();
        let (name, outcome, trouble) = match line.post(body).await {
            Ok(()) => ("taken", Outcome::Taken, String::new()),
            Err(failure) => (failure.name(), failure.outcome(), failure.to_string()),
        };
        self.shared.requested(name);
        let Ended { pause, news } = self.shared.telling().ended(outcome);
        match news {
            Some(News::Well { waiting }) => {
                tracing::info!("events: the backend takes them again; {waiting} wait");
            }
            Some(News::Unwell) => tracing::error!(
                "events: the backend does not take them ({trouble}); they wait, and it is tried again"
            ),
            Some(News::GivenUp { events }) => tracing::error!(
                "events: the backend will not take {events} ({trouble}); it is told of the gap instead"
            ),
            None => {}
        }
        pause
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Waits until it is time to end, or until nobody is left who could say when that is.
async fn over(mut end: watch::Receiver<Option<Instant>>) {
    loop {
        let deadline = *end.borrow_and_update();
        if deadline.is_some() {
            return sleep_until(deadline).await;
        }
        if end.changed().await.is_err() {
            return;
        }
    }
}

//! The courier: the thread that brings events to the endpoint, one request at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot, watch};

use super::journal::Journal;
use super::line::Line;
use super::persistence::{Next, Outcome, Persistence};
use super::queue::Dropped;
use super::settings::{BatchLimits, EventsSettings};
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
        let settings = Arc::new(settings);
        let (line, lines) = watch::channel(Arc::new(Events::line(&settings.recipient)?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut journal = Journal::new(settings.clone());
        journal.started(unix_ms());
        let persistence = Persistence::new(settings.batch.events_max, settings.retry_wait_max);
        let shared = Arc::new(Shared {
            settings,
            journal: Mutex::new(journal),
            bell: Notify::new(),
            line,
            requests: Mutex::new(BTreeMap::new()),
        });
        let round = Round {
            lines,
            persistence,
            chance: StdRng::from_seed(seed),
            head: head(node, epoch),
            epoch: epoch.to_owned(),
            found: None,
            shared: shared.clone(),
        };
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
        events.shared.journal().stopped(unix_ms());
        // A thread that has ended has nothing left to do.
        let _ = end.send(Some(deadline));
        let _ = done.await;
        let lost = events.shared.journal().queue.len();
        if lost > 0 {
            tracing::error!("events: the backend was not told of the last {lost} before the end");
        }
    }
}

/// What the thread works with.
struct Round {
    /// The way to the endpoint, which may become another one.
    lines: watch::Receiver<Arc<Line>>,
    persistence: Persistence,
    chance: StdRng,
    /// What every body begins with.
    head: String,
    epoch: String,
    /// When the courier saw the first of the events that wait for company.
    found: Option<Instant>,
    shared: Arc<Shared>,
}

/// What there is to do.
enum Errand {
    /// A request with so many entries.
    Bring { body: Bytes, events: usize },
    /// Nothing before this time, unless the bell rings.
    Wait(Option<Instant>),
}

impl Round {
    /// Works until everything is brought and nobody can tell more, or its time is over.
    async fn work(mut self, mut end: watch::Receiver<Option<Instant>>) {
        let shared = self.shared.clone();
        loop {
            let is_ending = end.borrow_and_update().is_some();
            let pause = match self.errand(is_ending) {
                Errand::Wait(_) if is_ending => return,
                Errand::Wait(until) => tokio::select! {
                    () = shared.bell.notified() => continue,
                    () = sleep_until(until) => continue,
                    changed = end.changed() => if changed.is_ok() { continue } else { return },
                },
                Errand::Bring { body, events } => tokio::select! {
                    pause = self.bring(body, events) => pause,
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

    /// Looks at what there is.
    fn errand(&mut self, is_ending: bool) -> Errand {
        let now = Instant::now();
        let limits = self.shared.settings.batch;
        let mut journal = self.shared.journal();
        journal.let_go(now);
        if journal.queue.is_empty() {
            return Errand::Wait(journal.next_due());
        }
        let is_full = journal.queue.len() >= limits.events_max || journal.queue.bytes() >= limits.bytes_max;
        let go_at = *self.found.get_or_insert(now) + limits.interval;
        if now < go_at && !is_full && !is_ending && self.persistence.is_well() {
            return Errand::Wait(Some(go_at));
        }
        self.found = None;
        let events = journal.queue.take(&BatchLimits { events_max: self.persistence.size(), ..limits });
        let mut body = self.head.clone();
        journal.queue.write(&self.epoch, &mut body);
        drop(journal);
        body.push_str("]}");
        Errand::Bring { body: body.into(), events }
    }

    /// Sends one request. How long to wait before the next one.
    async fn bring(&mut self, body: Bytes, events: usize) -> Duration {
        let line = self.lines.borrow_and_update().clone();
        let (name, outcome, trouble) = match line.post(body).await {
            Ok(()) => ("taken", Outcome::Taken, String::new()),
            Err(failure) => (failure.name(), failure.outcome(), failure.to_string()),
        };
        self.shared.requested(name);
        let was_well = self.persistence.is_well();
        match self.persistence.outcome(events, outcome, &mut self.chance) {
            Next::GoOn => {
                let left = self.delivered();
                if !was_well {
                    tracing::info!("events: the backend takes them again; {left} wait");
                }
                Duration::ZERO
            }
            Next::Again(pause) => {
                if was_well {
                    tracing::error!(
                        "events: the backend does not take them ({trouble}); they wait, and it is tried again"
                    );
                }
                pause
            }
            Next::GiveUp(pause) => {
                let Dropped(dropped) = self.give_up();
                tracing::error!(
                    "events: the backend will not take {dropped} ({trouble}); it is told of the gap instead"
                );
                pause
            }
        }
    }

    /// What was taken has arrived. How many entries are left.
    fn delivered(&self) -> usize {
        let mut journal = self.shared.journal();
        journal.tally.delivered += journal.queue.delivered();
        journal.queue.len()
    }

    fn give_up(&self) -> Dropped {
        let mut journal = self.shared.journal();
        let dropped = journal.queue.give_up();
        journal.tally.refused += dropped.0;
        dropped
    }
}

/// What every body begins with.
fn head(node: &str, epoch: &str) -> String {
    let (node, epoch) = (serde_json::Value::from(node), serde_json::Value::from(epoch));
    format!("{{\"node\":{node},\"epoch\":{epoch},\"events\":[")
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

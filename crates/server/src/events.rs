//! Events: the backend is told what happens in the lives of clients, at least once and in order.
//!
//! Shards report what happened at the end of a turn, under one short lock ([`Events::tell`]); without an endpoint they report
//! nothing. The `journal` makes events of that, and counts: what it counts is exact over all shards, because there their
//! reports come together. The `queue` gives each event its place in the sequence and bounds what waits. What is brought to the
//! endpoint next, and what follows from its answer, is the `telling`'s to decide; the `courier`, a thread of its own, brings
//! it, one request at a time.

mod courier;
mod event;
mod grace;
mod journal;
mod kind;
mod line;
mod occupancy;
mod persistence;
mod queue;
mod settings;
mod signature;
mod stays;
mod telling;

pub use courier::{Courier, Engaged};
pub use kind::{Kind, Kinds};
pub use persistence::Outcome;
pub use settings::{BatchLimits, EventsSettings, Graces, QueueLimits, Recipient, TellingSettings};
pub use telling::{Ended, Errand, News, Telling};

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use spanwire_hub::happening::{Happening, Reports};
use tokio::sync::{Notify, watch};

pub use self::journal::Moment;
pub(crate) use self::line::Line;

/// Tells the backend what happens, from any shard. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

/// What shards and the courier have in common.
#[derive(Debug)]
struct Shared {
    /// What hubs have to report.
    reports: Reports,
    /// How many events fill a request.
    fill: usize,
    telling: Mutex<Telling>,
    /// The courier has something to look at.
    bell: Notify,
    /// The way to the endpoint.
    line: watch::Sender<Arc<Line>>,
    requests: Mutex<BTreeMap<&'static str, u64>>,
}

/// How the telling goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsSnapshot {
    /// Events that were queued, by type.
    pub told: BTreeMap<&'static str, u64>,
    /// Events that the endpoint has.
    pub delivered: u64,
    /// Events that were dropped, by why: `overflow`, `refused`.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Requests, by what came of them: `taken`, `refused`, `status`, `silence`, `untrusted`.
    pub requests: BTreeMap<&'static str, u64>,
    /// Events that the endpoint does not have yet.
    pub queued: usize,
    /// About how many bytes those take.
    pub queued_bytes: usize,
    /// Ends that are held back, because they may be undone.
    pub held: usize,
    /// When the oldest of those that are queued happened, in milliseconds since 1970.
    pub oldest_unix_ms: Option<u64>,
}

impl Events {
    /// What hubs have to report.
    pub fn reports(&self) -> Reports {
        self.shared.reports
    }

    /// Tells what has happened on one shard, in its order.
    pub fn tell(&self, unix_ms: u64, happenings: impl Iterator<Item = Happening>) {
        let now = Moment { at: Instant::now(), unix_ms };
        let mut telling = self.shared.telling();
        let before = telling.queued();
        for happening in happenings {
            telling.happened(now, &happening);
        }
        let (after, held) = (telling.queued(), telling.held());
        drop(telling);
        let fills = before < self.shared.fill && after >= self.shared.fill;
        // In between, the courier waits for more, for a grace to end or for an answer, and looks by itself.
        if (before == 0 && (after > 0 || held > 0)) || fills {
            self.shared.bell.notify_one();
        }
    }

    /// A way to an endpoint, its files read.
    ///
    /// # Errors
    /// There are no certificates that an `https` endpoint could be known by.
    pub(crate) fn line(recipient: &Recipient) -> io::Result<Line> {
        Line::new(recipient.clone()).map_err(|error| io::Error::other(format!("events: {error}")))
    }

    /// Tells by this from now on, and at once what waits. A request that is under way goes on by the one before it.
    pub(crate) fn reconnect(&self, line: Line) {
        self.shared.line.send_replace(Arc::new(line));
    }

    /// How the telling goes.
    pub fn snapshot(&self) -> EventsSnapshot {
        let requests = self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        EventsSnapshot { requests, ..self.shared.telling().snapshot() }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Shared {
    fn telling(&self) -> MutexGuard<'_, Telling> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requested(&self, outcome: &'static str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(outcome).or_default() += 1;
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

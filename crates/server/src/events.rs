//! Events: the backend is told what happens in the lives of clients, at least once and in order.
//!
//! Shards report what happened at the end of a turn, under one short lock ([`Events::tell`]); without an endpoint they report
//! nothing. The `journal` makes events of that, and counts: what it counts is exact over all shards, because there their
//! reports come together. The `queue` gives each event its place in the sequence and bounds what waits. The `courier`, a
//! thread of its own, brings them to the endpoint, one request at a time.

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

pub use courier::{Courier, Engaged};
pub use kind::{Kind, Kinds};
pub use settings::{BatchLimits, EventsSettings, Graces, QueueLimits, Recipient};

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use spanwire_hub::happening::{Happening, Reports};
use tokio::sync::{Notify, watch};

use self::journal::{Journal, Moment};
pub(crate) use self::line::Line;

/// Tells the backend what happens, from any shard. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

/// What shards and the courier have in common.
#[derive(Debug)]
struct Shared {
    settings: Arc<EventsSettings>,
    journal: Mutex<Journal>,
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
        self.shared.settings.reports()
    }

    /// Tells what has happened on one shard, in its order.
    pub fn tell(&self, unix_ms: u64, happenings: impl Iterator<Item = Happening>) {
        let now = Moment { at: Instant::now(), unix_ms };
        let batch = &self.shared.settings.batch;
        let mut journal = self.shared.journal();
        let before = journal.queue.len();
        for happening in happenings {
            journal.happened(now, &happening);
        }
        let (after, held) = (journal.queue.len(), journal.held());
        drop(journal);
        // In between, the courier waits for more, for a grace to end or for an answer, and looks by itself.
        let fills = before < batch.events_max && after >= batch.events_max;
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
        let journal = self.shared.journal();
        let tally = &journal.tally;
        let told = Kind::ALL.iter().filter(|kind| self.shared.settings.kinds.has(**kind));
        EventsSnapshot {
            told: told.map(|kind| (kind.name(), tally.told[*kind as usize])).collect(),
            delivered: tally.delivered,
            dropped: [("overflow", tally.overflowed), ("refused", tally.refused)].into(),
            requests: self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            queued: journal.queue.len(),
            queued_bytes: journal.queue.bytes(),
            held: journal.held(),
            oldest_unix_ms: journal.queue.oldest_unix_ms(),
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Shared {
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
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

//! The telling: what is brought to the endpoint next, and what comes of it; without a clock, a thread or a socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use spanwire_hub::happening::Happening;

use super::EventsSnapshot;
use super::journal::{Journal, Moment};
use super::kind::Kind;
use super::persistence::{Next, Outcome, Persistence};
use super::queue::Dropped;
use super::settings::{BatchLimits, TellingSettings};

/// Everything that one node has to tell one endpoint, and how far it is. Time is passed in, chance comes from a seed.
///
/// Requests go one after the other: whoever has been given one to bring by [`next`](Self::next) says what came of it by
/// [`ended`](Self::ended) before asking again.
#[derive(Debug)]
pub struct Telling {
    settings: Arc<TellingSettings>,
    journal: Journal,
    persistence: Persistence,
    chance: StdRng,
    /// What every body begins with.
    head: String,
    epoch: String,
    /// When the first of the events was seen that wait for company.
    found: Option<Instant>,
    /// How many entries the request under way has.
    under_way: usize,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A request with this body.
    Bring(Bytes),
    /// Nothing before this time, unless something happens; without one, nothing at all.
    Wait(Option<Instant>),
}

/// What follows from the end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How long to wait before the next one.
    pub pause: Duration,
    /// What people would like to know of it, if anything.
    pub news: Option<News>,
}

/// What has changed between us and the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It takes events again.
    Well {
        /// Behind those that it has just taken.
        waiting: usize,
    },
    /// It does not take them.
    Unwell,
    /// It will never take some, and is told of a gap instead.
    GivenUp {
        /// How many.
        events: u64,
    },
}

impl Telling {
    /// The node begins. `node` is what the endpoint is to call it, `epoch` this life of it.
    pub fn new(settings: TellingSettings, node: &str, epoch: &str, unix_ms: u64, seed: [u8; 32]) -> Self {
        let settings = Arc::new(settings);
        let mut journal = Journal::new(settings.clone());
        journal.started(unix_ms);
        Self {
            journal,
            persistence: Persistence::new(settings.batch.events_max, settings.retry_wait_max),
            chance: StdRng::from_seed(seed),
            head: head(node, epoch),
            epoch: epoch.to_owned(),
            found: None,
            under_way: 0,
            settings,
        }
    }

    /// Something has happened on a shard.
    pub fn happened(&mut self, now: Moment, happening: &Happening) {
        self.journal.happened(now, happening);
    }

    /// The node has ended, and nothing happens any more: what is held back is told, for nobody comes back.
    pub fn stopped(&mut self, unix_ms: u64) {
        self.journal.stopped(unix_ms);
    }

    /// What there is to do now. Whoever is about to end does not wait for company.
    pub fn next(&mut self, now: Instant, is_ending: bool) -> Errand {
        let limits = self.settings.batch;
        self.journal.let_go(now);
        let queue = &mut self.journal.queue;
        if queue.is_empty() {
            return Errand::Wait(self.journal.next_due());
        }
        let is_full = queue.len() >= limits.events_max || queue.bytes() >= limits.bytes_max;
        let go_at = *self.found.get_or_insert(now) + limits.interval;
        if now < go_at && !is_full && !is_ending && self.persistence.is_well() {
            return Errand::Wait(Some(go_at));
        }
        self.found = None;
        self.under_way = queue.take(&BatchLimits { events_max: self.persistence.size(), ..limits });
        let mut body = self.head.clone();
        queue.write(&self.epoch, &mut body);
        body.push_str("]}");
        Errand::Bring(body.into())
    }

    /// The request under way has come to this.
    pub fn ended(&mut self, outcome: Outcome) -> Ended {
        let was_well = self.persistence.is_well();
        match self.persistence.outcome(self.under_way, outcome, &mut self.chance) {
            Next::GoOn => {
                self.journal.tally.delivered += self.journal.queue.delivered();
                let waiting = self.journal.queue.len();
                Ended { pause: Duration::ZERO, news: (!was_well).then_some(News::Well { waiting }) }
            }
            Next::Again(pause) => Ended { pause, news: was_well.then_some(News::Unwell) },
            Next::GiveUp(pause) => {
                let Dropped(events) = self.journal.queue.give_up();
                self.journal.tally.refused += events;
                Ended { pause, news: Some(News::GivenUp { events }) }
            }
        }
    }

    /// How many events the endpoint does not have yet, those under way included.
    pub fn queued(&self) -> usize {
        self.journal.queue.len()
    }

    /// How many ends are held back.
    pub fn held(&self) -> usize {
        self.journal.held()
    }

    /// How it goes, but for what is known of requests.
    pub fn snapshot(&self) -> EventsSnapshot {
        let (queue, tally) = (&self.journal.queue, &self.journal.tally);
        let told = Kind::ALL.iter().filter(|kind| self.settings.kinds.has(**kind));
        EventsSnapshot {
            told: told.map(|kind| (kind.name(), tally.told[*kind as usize])).collect(),
            delivered: tally.delivered,
            dropped: [("overflow", tally.overflowed), ("refused", tally.refused)].into(),
            queued: queue.len(),
            queued_bytes: queue.bytes(),
            held: self.held(),
            oldest_unix_ms: queue.oldest_unix_ms(),
            ..EventsSnapshot::default()
        }
    }
}

/// What every body begins with.
fn head(node: &str, epoch: &str) -> String {
    let (node, epoch) = (serde_json::Value::from(node), serde_json::Value::from(epoch));
    format!("{{\"node\":{node},\"epoch\":{epoch},\"events\":[")
}

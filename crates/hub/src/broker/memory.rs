//! A broker that keeps everything in memory, and answers at once.

mod agenda;
mod limits;
mod listeners;
mod record;
mod repeats;
mod stream;
#[cfg(test)]
mod tests;

pub use limits::MemoryLimits;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use rand::SeedableRng;
use rand::rngs::StdRng;

use self::agenda::GRAIN;
use self::listeners::Listeners;
use self::record::{Books, Record};
use super::{
    Broker, BrokerAnswer, BrokerEvent, BrokerRequest, HistoryOptions, HistoryQuery, Listener, Recall, Ticket,
};
use crate::channel::Channel;
use crate::time::{Instant, Now};

/// A broker in memory. On a node with several shards each owns one, for the channels that hash to it.
///
/// Events stand ready as soon as a request was submitted: first what listeners are to hear, then the answer. The
/// same requests at the same times, with the same seed, give the same events.
///
/// Streams that have listeners are in use, so their epoch and offsets stay however quiet they are; `meta_ttl` runs
/// from when the last listener left. All memory that requests can take is bounded by [`MemoryLimits`] and by the
/// number of subscriptions that live.
#[derive(Debug)]
pub struct MemoryBroker {
    limits: MemoryLimits,
    chance: StdRng,
    /// Never iterated: its order is chance, and must not show.
    records: HashMap<Channel, Record, RandomState>,
    books: Books,
    events: VecDeque<(Listener, BrokerEvent)>,
}

/// How much there is in a [`MemoryBroker`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Channels that have listeners, a stream or idempotency keys.
    pub channels: usize,
    /// Subscribers of all channels.
    pub subscribers: usize,
    /// Streams of channels without listeners.
    pub idle_streams: usize,
    /// Bytes of publications in all histories, as [`MemoryLimits::history_bytes_max`] counts them.
    pub history_bytes: usize,
    /// Bytes of idempotency keys, as [`MemoryLimits::idempotency_bytes_max`] counts them.
    pub idempotency_bytes: usize,
}

impl MemoryBroker {
    /// Listeners have numbers below this. A subscribe of one that has not is refused as
    /// [`BrokerError::Unavailable`](super::BrokerError::Unavailable).
    pub const LISTENERS_MAX: u16 = Listeners::MAX;

    /// Most things (publications, streams, keys) that one call of [`expire`](Broker::expire) lets go of, and one
    /// channel's more. The rest waits for the next call; meanwhile nobody gets to see it, for whoever uses a channel
    /// finds it without what has outlived its time.
    pub const EXPIRE_STEPS_MAX: usize = 10_000;

    /// A broker that knows no channels. Its epochs come from `seed`, which no other broker should share.
    pub fn new(limits: MemoryLimits, seed: [u8; 32]) -> Self {
        Self {
            limits,
            chance: StdRng::from_seed(seed),
            records: HashMap::default(),
            books: Books::default(),
            events: VecDeque::new(),
        }
    }

    /// How much there is.
    pub fn usage(&self) -> MemoryUsage {
        MemoryUsage {
            channels: self.records.len(),
            subscribers: self.books.subscribers,
            idle_streams: self.books.idle_streams(),
            history_bytes: self.books.history_bytes,
            idempotency_bytes: self.books.repeat_bytes,
        }
    }

    /// Carries out a request, and tells listeners what they are to hear of it.
    fn carry_out(
        &mut self,
        at: Instant,
        from: Listener,
        channel: &Channel,
        request: BrokerRequest,
    ) -> BrokerAnswer {
        let Self { limits, chance, records, books, events } = self;
        let record = records.entry(channel.clone()).or_default();
        record.lapse(at);
        let answer = match request {
            BrokerRequest::Publish(draft) => match record.admit(at, draft.rate) {
                Err(error) => BrokerAnswer::Refused(error),
                Ok(()) => {
                    let published = record.publish(at, draft, limits, chance);
                    if let Some(delivery) = published.delivery {
                        tell(events, record, || BrokerEvent::Publication(channel.clone(), delivery.clone()));
                    }
                    BrokerAnswer::Published(published.position)
                }
            },
            BrokerRequest::Subscribe { history, recall, subscribers_max } => {
                match record.listeners.add(from, subscribers_max) {
                    Ok(()) => {
                        books.subscribers += 1;
                        subscribed(record, at, chance, history, &recall)
                    }
                    Err(error) => BrokerAnswer::Refused(error),
                }
            }
            BrokerRequest::Unsubscribe => {
                books.subscribers -= usize::from(unsubscribe(record, at, from));
                BrokerAnswer::Done
            }
            BrokerRequest::Join(info) => {
                let info = Arc::new(info);
                tell(events, record, || BrokerEvent::Join(channel.clone(), info.clone()));
                BrokerAnswer::Done
            }
            BrokerRequest::Leave(info) => {
                let info = Arc::new(info);
                tell(events, record, || BrokerEvent::Leave(channel.clone(), info.clone()));
                BrokerAnswer::Done
            }
            BrokerRequest::History { history, query } => history_of(record, at, chance, history, &query),
            BrokerRequest::RemoveHistory => {
                record.stream_mut().map(|stream| stream.clear());
                BrokerAnswer::Done
            }
        };
        record.enter(channel, books, GRAIN);
        if record.is_blank() {
            records.remove(channel);
        }
        answer
    }

    /// Makes room until all limits are kept.
    fn make_room(&mut self) {
        while self.books.history_bytes > self.limits.history_bytes_max && self.drop_oldest_publication() {}
        while self.books.idle_streams() > self.limits.idle_streams_max && self.forget_oldest_stream() {}
        while self.books.repeat_bytes > self.limits.idempotency_bytes_max && self.forget_oldest_key() {}
    }

    fn drop_oldest_publication(&mut self) -> bool {
        let oldest = self.books.histories.first().map(|(_, channel)| channel.clone());
        self.change(oldest, GRAIN, |record| record.stream_mut().map(|stream| stream.drop_oldest())).is_some()
    }

    fn forget_oldest_stream(&mut self) -> bool {
        let oldest = self.books.unpublished.first().or_else(|| self.books.published.first());
        let oldest = oldest.map(|(_, channel)| channel.clone());
        self.change(oldest, GRAIN, Record::take_stream).is_some()
    }

    fn forget_oldest_key(&mut self) -> bool {
        let oldest = self.books.repeats.first().map(|(_, channel)| channel.clone());
        self.change(oldest, GRAIN, |record| record.repeats_mut().map(|repeats| repeats.forget_oldest()))
            .is_some()
    }

    /// Changes one channel's record, if there is one, and brings the books up to date.
    fn change<T>(
        &mut self,
        channel: Option<Channel>,
        grain: Duration,
        change: impl FnOnce(&mut Record) -> Option<T>,
    ) -> Option<T> {
        let channel = channel?;
        let record = self.records.get_mut(&channel)?;
        let result = change(record);
        record.enter(&channel, &mut self.books, grain);
        if record.is_blank() {
            self.records.remove(&channel);
        }
        result
    }
}

impl Broker for MemoryBroker {
    fn submit(
        &mut self,
        now: Now,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        request: BrokerRequest,
    ) {
        let answer = self.carry_out(now.at, from, channel, request);
        if ticket != Ticket::NOBODY {
            self.events.push_back((from, BrokerEvent::Answer(ticket, answer)));
        }
        self.make_room();
    }

    fn poll(&mut self) -> Option<(Listener, BrokerEvent)> {
        self.events.pop_front()
    }

    fn expire(&mut self, now: Now) {
        let mut steps = 0;
        while steps < Self::EXPIRE_STEPS_MAX {
            // Booked exactly this time, or a channel whose end was postponed would be due again at once.
            let due = self.books.due(now.at);
            let Some(gone) = self.change(due, Duration::ZERO, |record| Some(record.lapse(now.at))) else {
                return;
            };
            steps += 1 + gone;
        }
    }
}

fn tell(events: &mut VecDeque<(Listener, BrokerEvent)>, record: &Record, event: impl Fn() -> BrokerEvent) {
    events.extend(record.listeners.iter().map(|listener| (listener, event())));
}

fn subscribed(
    record: &mut Record,
    at: Instant,
    chance: &mut StdRng,
    history: Option<HistoryOptions>,
    recall: &Recall,
) -> BrokerAnswer {
    let Some(history) = history else { return BrokerAnswer::Subscribed { top: None, recalled: None } };
    let stream = record.stream_in_use(at, &history, chance);
    let recalled = stream.recall(recall);
    BrokerAnswer::Subscribed { top: Some(stream.top()), recalled }
}

/// Whether there was a subscriber to take away.
fn unsubscribe(record: &mut Record, at: Instant, from: Listener) -> bool {
    let was_there = record.listeners.remove(from);
    if was_there
        && record.listeners.is_empty()
        && let Some(stream) = record.stream_mut()
    {
        stream.touch_last(at);
    }
    was_there
}

fn history_of(
    record: &mut Record,
    at: Instant,
    chance: &mut StdRng,
    history: HistoryOptions,
    query: &HistoryQuery,
) -> BrokerAnswer {
    let stream = record.stream_in_use(at, &history, chance);
    match stream.query(query) {
        Ok(publications) => BrokerAnswer::History { publications, top: stream.top() },
        Err(error) => BrokerAnswer::Refused(error),
    }
}

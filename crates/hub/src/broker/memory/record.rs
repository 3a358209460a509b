//! What a broker in memory knows of one channel.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use rand::rngs::StdRng;

use super::agenda::{Agenda, Booking};
use super::limits::MemoryLimits;
use super::listeners::Listeners;
use super::repeats::Repeats;
use super::stream::Stream;
use crate::broker::{BrokerError, Draft, HistoryOptions};
use crate::channel::{Channel, Epoch, Position};
use crate::delivery::Delivery;
use crate::rate::{Bucket, Rate, Verdict};
use crate::time::Instant;

/// Who listens to a channel, and what is kept for it. One that holds nothing of this need not exist.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) listeners: Listeners,
    /// How much is published at a rate.
    published: Bucket,
    /// In a box, because most channels of a busy server may have listeners and nothing else.
    kept: Option<Box<Kept>>,
}

/// What is kept for a channel, and where that stands in the [`Books`].
#[derive(Debug, Default)]
struct Kept {
    stream: Option<Stream>,
    repeats: Option<Box<Repeats>>,
    entries: Entries,
}

/// What a publish came to.
pub(super) struct Published {
    /// The position to answer with.
    pub(super) position: Option<Position>,
    /// What listeners are to hear; `None` if it is a repeat or nobody listens.
    pub(super) delivery: Option<Arc<Delivery>>,
}

impl Record {
    /// Whether the channel costs nothing any more.
    pub(super) fn is_blank(&self) -> bool {
        self.listeners.is_empty() && self.kept.is_none()
    }

    pub(super) fn stream_mut(&mut self) -> Option<&mut Stream> {
        self.kept.as_mut()?.stream.as_mut()
    }

    pub(super) fn repeats_mut(&mut self) -> Option<&mut Repeats> {
        self.kept.as_mut()?.repeats.as_deref_mut()
    }

    /// Takes the stream away: the next use begins a new epoch.
    pub(super) fn take_stream(&mut self) -> Option<Stream> {
        self.kept.as_mut()?.stream.take()
    }

    /// The stream, made if there is none, and used now.
    pub(super) fn stream_in_use(
        &mut self,
        at: Instant,
        history: &HistoryOptions,
        chance: &mut StdRng,
    ) -> &mut Stream {
        let kept = self.kept.get_or_insert_default();
        let stream = kept.stream.get_or_insert_with(|| Stream::new(new_epoch(chance)));
        stream.touch(at, history.meta_ttl);
        stream
    }

    /// Whether one more draft of this rate may be published.
    pub(super) fn admit(&mut self, at: Instant, rate: Rate) -> Result<(), BrokerError> {
        match self.published.take(at, rate, 1) {
            Verdict::Within => Ok(()),
            Verdict::Over(wait) => Err(BrokerError::TooMany(wait)),
            // Whom this is about has a connection of its own, and rates there.
            Verdict::Obstinate => Err(BrokerError::TooMany(rate.window())),
        }
    }

    /// Publishes a draft, unless it is a repeat.
    pub(super) fn publish(
        &mut self,
        at: Instant,
        draft: Draft,
        limits: &MemoryLimits,
        chance: &mut StdRng,
    ) -> Published {
        let Some(key) = draft.idempotency_key.clone() else { return self.append(at, draft, limits, chance) };
        if let Some(position) = self.repeats_mut().and_then(|repeats| repeats.answered(&key)) {
            return Published { position: position.clone(), delivery: None };
        }
        let published = self.append(at, draft, limits, chance);
        self.remember(at, &key, published.position.clone(), limits);
        published
    }

    fn append(&mut self, at: Instant, draft: Draft, limits: &MemoryLimits, chance: &mut StdRng) -> Published {
        let Draft { mut publication, history, delta, .. } = draft;
        let heard = !self.listeners.is_empty();
        (publication.offset, publication.epoch) = (0, String::new());
        let Some(history) = history else {
            return Published { position: None, delivery: heard.then(|| Delivery::new(publication, None)) };
        };
        let stream = self.stream_in_use(at, &history, chance);
        let base = stream.latest().filter(|_| delta && heard).cloned();
        let position = stream.place(&mut publication);
        let delivery =
            heard.then(|| Delivery::with_base(publication.clone(), Some(position.epoch.clone()), base));
        stream.keep(at, &history, publication, limits.history_bytes_max);
        Published { position: Some(position), delivery }
    }

    fn remember(&mut self, at: Instant, key: &Bytes, position: Option<Position>, limits: &MemoryLimits) {
        let repeats = self.kept.get_or_insert_default().repeats.get_or_insert_default();
        let until = at + limits.idempotency_window;
        repeats.remember(key, position, until, limits.idempotency_keys_per_channel_max);
    }

    /// Lets go of what has outlived its time; returns how many things those were. As long as somebody listens, the
    /// stream is in use.
    pub(super) fn lapse(&mut self, at: Instant) -> usize {
        let listened = !self.listeners.is_empty();
        let Some(kept) = &mut self.kept else { return 0 };
        let mut gone = kept.repeats.as_mut().map_or(0, |repeats| repeats.lapse(at));
        if let Some(stream) = &mut kept.stream {
            gone += stream.lapse(at);
            if !listened && stream.forget_at() <= at {
                kept.stream = None;
                gone += 1;
            }
        }
        gone
    }

    /// Brings the books up to date with this record, and lets go of what is empty. Bookings may be early by `grain`.
    pub(super) fn enter(&mut self, channel: &Channel, books: &mut Books, grain: Duration) {
        let listened = !self.listeners.is_empty();
        let Some(kept) = &mut self.kept else { return };
        kept.repeats.take_if(|repeats| repeats.ends_at().is_none());
        kept.enter(channel, listened, books, grain);
        self.kept.take_if(|kept| kept.stream.is_none() && kept.repeats.is_none());
    }
}

impl Kept {
    fn enter(&mut self, channel: &Channel, listened: bool, books: &mut Books, grain: Duration) {
        let Self { stream, repeats, entries } = self;
        let vanish_at = stream.as_ref().and_then(Stream::vanish_at);
        let idle = stream.as_ref().filter(|_| !listened);
        let (published, unpublished) = match idle {
            Some(stream) if stream.is_published() => (Some(stream.forget_at()), None),
            Some(stream) => (None, Some(stream.forget_at())),
            None => (None, None),
        };
        let repeat_ends_at = repeats.as_ref().and_then(|repeats| repeats.ends_at());
        books.histories.book(channel, &mut entries.history, vanish_at, grain);
        books.published.book(channel, &mut entries.published, published, grain);
        books.unpublished.book(channel, &mut entries.unpublished, unpublished, grain);
        books.repeats.book(channel, &mut entries.repeat, repeat_ends_at, grain);
        count(&mut books.history_bytes, &mut entries.history_bytes, stream.as_ref().map_or(0, Stream::bytes));
        count(&mut books.repeat_bytes, &mut entries.repeat_bytes, repeats.as_ref().map_or(0, |r| r.bytes()));
    }
}

/// Replaces one channel's share of a total.
fn count(total: &mut usize, counted: &mut usize, now: usize) {
    *total = *total - *counted + now;
    *counted = now;
}

/// Eight letters.
fn new_epoch(chance: &mut StdRng) -> Epoch {
    let letters: [u8; 8] = std::array::from_fn(|_| chance.random_range(b'a'..=b'z'));
    Epoch::new(&letters.map(char::from).iter().collect::<String>())
}

/// What is kept for all channels together, by what is due first.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Subscribers of all channels.
    pub(super) subscribers: usize,
    /// Streams with publications, by when those vanish.
    pub(super) histories: Agenda,
    /// Streams that nobody listens to but somebody published to, by when they are forgotten.
    pub(super) published: Agenda,
    /// Streams that nobody listens to and nobody published to, by when they are forgotten.
    pub(super) unpublished: Agenda,
    /// Channels with idempotency keys, by when the oldest of those ends.
    pub(super) repeats: Agenda,
    /// What the publications of all streams cost.
    pub(super) history_bytes: usize,
    /// What all idempotency keys cost.
    pub(super) repeat_bytes: usize,
}

/// What of one channel stands in the books.
#[derive(Debug, Default)]
struct Entries {
    history: Booking,
    published: Booking,
    unpublished: Booking,
    repeat: Booking,
    history_bytes: usize,
    repeat_bytes: usize,
}

impl Books {
    /// How many streams nobody listens to.
    pub(super) fn idle_streams(&self) -> usize {
        self.published.len() + self.unpublished.len()
    }

    /// The channel that is due first, if it is due by now.
    pub(super) fn due(&self, at: Instant) -> Option<Channel> {
        [&self.histories, &self.published, &self.unpublished, &self.repeats]
            .into_iter()
            .filter_map(Agenda::first)
            .min()
            .filter(|(due, _)| *due <= at)
            .map(|(_, channel)| channel.clone())
    }
}

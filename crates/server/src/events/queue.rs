//! The queue: events in their order, each with its place in the sequence, until the endpoint has them.

use std::collections::VecDeque;

use super::event::{Event, write_gap};
use super::settings::{BatchLimits, QueueLimits};

/// Events on their way to one endpoint.
///
/// Places are given once, from 1 on, and never again in this epoch: what the endpoint is told covers each of them exactly
/// once, by the event or by a gap that says how many were dropped.
#[derive(Debug)]
pub(super) struct Queue {
    limits: QueueLimits,
    /// The place that was given last.
    last: u64,
    /// What the request under way holds; it is not dropped, for the endpoint may have it already.
    taken: VecDeque<Entry>,
    waiting: VecDeque<Entry>,
    bytes: usize,
}

/// What covers one place in the sequence, or several.
#[derive(Debug)]
enum Entry {
    Event {
        seq: u64,
        event: Event,
    },
    /// The events from `first` to `last` were dropped.
    Gap {
        first: u64,
        last: u64,
        /// When the last of them happened.
        unix_ms: u64,
    },
}

/// Why the endpoint will not be told of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped(pub(super) u64);

impl Entry {
    fn weight(&self) -> usize {
        match self {
            Self::Event { event, .. } => event.weight(),
            Self::Gap { .. } => 0,
        }
    }

    fn first(&self) -> u64 {
        match self {
            Self::Event { seq, .. } => *seq,
            Self::Gap { first, .. } => *first,
        }
    }

    fn last(&self) -> u64 {
        match self {
            Self::Event { seq, .. } => *seq,
            Self::Gap { last, .. } => *last,
        }
    }

    fn unix_ms(&self) -> u64 {
        match self {
            Self::Event { event, .. } => event.unix_ms,
            Self::Gap { unix_ms, .. } => *unix_ms,
        }
    }

    fn is_event(&self) -> bool {
        matches!(self, Self::Event { .. })
    }

    fn write(&self, epoch: &str, body: &mut String) {
        match self {
            Self::Event { seq, event } => event.write(epoch, *seq, body),
            Self::Gap { first, last, unix_ms } => write_gap(*unix_ms, epoch, *last, last - first + 1, body),
        }
    }
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { limits, last: 0, taken: VecDeque::new(), waiting: VecDeque::new(), bytes: 0 }
    }

    /// Gives an event the next place. If there is too much then, the oldest that are not under way are dropped: so many.
    pub(super) fn push(&mut self, event: Event) -> Dropped {
        self.last += 1;
        self.bytes += event.weight();
        self.waiting.push_back(Entry::Event { seq: self.last, event });
        let mut dropped = 0;
        while (self.len() > self.limits.events_max || self.bytes > self.limits.bytes_max)
            && let Some(Dropped(events)) = self.drop_oldest()
        {
            dropped += events;
        }
        Dropped(dropped)
    }

    /// Makes the oldest that waits a part of the gap at the head. That may be a gap as well, which was behind a request that
    /// has come back: then no event more is dropped. `None` if there was nothing.
    fn drop_oldest(&mut self) -> Option<Dropped> {
        let gap = self.waiting.pop_front_if(|entry| !entry.is_event());
        let Some(oldest) = self.waiting.pop_front() else {
            self.waiting.extend(gap);
            return None;
        };
        self.bytes -= oldest.weight();
        let first = gap.as_ref().map_or(oldest.first(), Entry::first);
        self.waiting.push_front(Entry::Gap { first, last: oldest.last(), unix_ms: oldest.unix_ms() });
        Some(Dropped(u64::from(oldest.is_event())))
    }

    /// Events that the endpoint does not have yet, those under way included.
    pub(super) fn len(&self) -> usize {
        self.taken.len() + self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest of them happened, in milliseconds since 1970.
    pub(super) fn oldest_unix_ms(&self) -> Option<u64> {
        self.taken.front().or(self.waiting.front()).map(Entry::unix_ms)
    }

    /// Takes as many as go into one request, the oldest first; those that were under way are taken again, as far as they
    /// go. How many.
    pub(super) fn take(&mut self, limits: &BatchLimits) -> usize {
        while let Some(entry) = self.taken.pop_back() {
            self.waiting.push_front(entry);
        }
        let mut bytes = 0;
        while let Some(entry) = self.waiting.front() {
            bytes += entry.weight();
            let fits = self.taken.is_empty() || bytes <= limits.bytes_max;
            if !fits || self.taken.len() >= limits.events_max {
                break;
            }
            self.taken.extend(self.waiting.pop_front());
        }
        self.taken.len()
    }

    /// Writes what is taken: the elements of a JSON array.
    pub(super) fn write(&self, epoch: &str, body: &mut String) {
        for (number, entry) in self.taken.iter().enumerate() {
            if number > 0 {
                body.push(',');
            }
            entry.write(epoch, body);
        }
    }

    /// The endpoint has what was taken: so many events.
    pub(super) fn delivered(&mut self) -> u64 {
        let mut events = 0;
        for entry in self.taken.drain(..) {
            self.bytes -= entry.weight();
            events += u64::from(entry.is_event());
        }
        events
    }

    /// The endpoint will not have what was taken: it becomes a gap.
    pub(super) fn give_up(&mut self) -> Dropped {
        let (Some(first), Some(last)) = (self.taken.front(), self.taken.back()) else { return Dropped(0) };
        let (first, mut last, mut unix_ms) = (first.first(), last.last(), last.unix_ms());
        let dropped = self.delivered();
        if let Some(next) = self.waiting.pop_front_if(|entry| !entry.is_event()) {
            (last, unix_ms) = (next.last(), next.unix_ms());
        }
        self.waiting.push_front(Entry::Gap { first, last, unix_ms });
        Dropped(dropped)
    }
}

#[cfg(test)]
mod tests;

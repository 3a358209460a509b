//! The stream of one channel: where it stands, and what of it is kept.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use crate::broker::{BrokerError, HistoryOptions, HistoryQuery, Recall};
use crate::channel::{Epoch, Position};
use crate::time::Instant;

/// One life of a channel's stream: its epoch, its top, and the latest publications.
///
/// The publications kept have no holes and end at the top, or there are none. So an offset is an index, and whether
/// a recovery is whole can be said by counting.
#[derive(Debug)]
pub(super) struct Stream {
    epoch: Epoch,
    top: u64,
    /// In boxes, because a publication is large, and a queue of them may have half of its room unused.
    kept: VecDeque<Box<Publication>>,
    bytes: usize,
    vanish_at: Instant,
    used_at: Instant,
    meta_ttl: Duration,
}

impl Stream {
    pub(super) fn new(epoch: Epoch) -> Self {
        let never = Instant::default();
        Self {
            epoch,
            top: 0,
            kept: VecDeque::new(),
            bytes: 0,
            vanish_at: never,
            used_at: never,
            meta_ttl: Duration::ZERO,
        }
    }

    /// Where the stream stands.
    pub(super) fn top(&self) -> Position {
        Position { offset: self.top, epoch: self.epoch.clone() }
    }

    /// Whether anything was ever published in this epoch.
    pub(super) fn is_published(&self) -> bool {
        self.top > 0
    }

    /// What the publications kept cost.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the publications vanish; `None` if there are none.
    pub(super) fn vanish_at(&self) -> Option<Instant> {
        (!self.kept.is_empty()).then_some(self.vanish_at)
    }

    /// When the stream is forgotten, if nobody uses it until then.
    pub(super) fn forget_at(&self) -> Instant {
        self.used_at + self.meta_ttl
    }

    /// Notes a use.
    pub(super) fn touch(&mut self, at: Instant, meta_ttl: Duration) {
        self.used_at = at;
        self.meta_ttl = meta_ttl;
    }

    /// Notes that the last listener left: until now the stream was in use.
    pub(super) fn touch_last(&mut self, at: Instant) {
        self.used_at = at;
    }

    /// The payload of the publication at the top, if that is kept.
    pub(super) fn latest(&self) -> Option<&Bytes> {
        self.kept.back().map(|latest| &latest.data)
    }

    /// Gives a publication its place: the next offset, and the epoch to the first one (it is what tells subscribers
    /// that have no epoch yet).
    pub(super) fn place(&mut self, publication: &mut Publication) -> Position {
        self.top += 1;
        publication.offset = self.top;
        if self.top == 1 {
            publication.epoch = self.epoch.as_str().to_owned();
        }
        self.top()
    }

    /// Keeps the publication that was placed last, and drops the oldest beyond the history's size.
    pub(super) fn keep(
        &mut self,
        at: Instant,
        history: &HistoryOptions,
        publication: Publication,
        bytes_max: usize,
    ) {
        let bytes = cost(&publication);
        self.vanish_at = at + history.ttl;
        if history.size == 0 || bytes > bytes_max {
            self.clear();
            return;
        }
        self.bytes += bytes;
        self.kept.push_back(Box::new(publication));
        while self.kept.len() > history.size {
            self.drop_oldest();
        }
    }

    /// Drops the oldest publication kept.
    pub(super) fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= cost(&oldest);
        }
        if self.kept.is_empty() {
            self.clear();
        }
    }

    /// Drops all publications, and the memory that they were in; returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.kept).len()
    }

    /// Drops all publications if their time has come; returns how many those were.
    pub(super) fn lapse(&mut self, at: Instant) -> usize {
        if self.vanish_at <= at { self.clear() } else { 0 }
    }

    /// What a subscriber is to be given as it comes, if all of it is kept.
    pub(super) fn recall(&self, recall: &Recall) -> Option<Vec<Publication>> {
        match recall {
            Recall::Nothing => None,
            Recall::Since { position, limit } => {
                let behind = self.behind(position)?;
                (behind <= *limit).then(|| self.newest(behind).cloned().collect())
            }
            Recall::Latest { filter, limit } => {
                let is_wanted =
                    |tags: &BTreeMap<_, _>| filter.as_ref().is_none_or(|filter| filter.passes(tags));
                let latest = self.kept.iter().rev().take(*limit).find(|kept| is_wanted(&kept.tags));
                latest.map(|latest| vec![(**latest).clone()])
            }
        }
    }

    /// The wanted part of the history.
    pub(super) fn query(&self, query: &HistoryQuery) -> Result<Vec<Publication>, BrokerError> {
        let limit = query.limit.unwrap_or(usize::MAX);
        if query.reverse {
            let skipped = query.since.as_ref().map_or(Some(0), |since| self.from(since)).ok_or(REFUSED)?;
            Ok(self.kept.iter().rev().skip(skipped).take(limit).map(|kept| (**kept).clone()).collect())
        } else {
            let wanted = query
                .since
                .as_ref()
                .map_or(Some(self.kept.len()), |since| self.behind(since))
                .ok_or(REFUSED)?;
            Ok(self.newest(wanted).take(limit).cloned().collect())
        }
    }

    /// How many publications lie behind a position, if they are all kept.
    fn behind(&self, since: &Position) -> Option<usize> {
        let behind = usize::try_from(self.distance(since)?).ok()?;
        (behind <= self.kept.len()).then_some(behind)
    }

    /// How many of the newest publications do not lie before the publication that a position names.
    fn from(&self, since: &Position) -> Option<usize> {
        Some(usize::try_from(self.distance(since)?).unwrap_or(usize::MAX).saturating_add(1))
    }

    /// How far the top is from a position, if that is one of this stream. Without an epoch it is taken for one:
    /// whoever never saw an epoch saw the stream before its first publication.
    fn distance(&self, since: &Position) -> Option<u64> {
        let epoch = since.epoch.as_str();
        if epoch.is_empty() || epoch == self.epoch.as_str() {
            self.top.checked_sub(since.offset)
        } else {
            None
        }
    }

    fn newest(&self, count: usize) -> impl Iterator<Item = &Publication> {
        self.kept.iter().skip(self.kept.len() - count).map(|kept| &**kept)
    }
}

/// A position of another epoch, one that the stream has not reached, or one behind which something is gone.
const REFUSED: BrokerError = BrokerError::UnrecoverablePosition;

/// What keeping a publication costs, in bytes.
fn cost(publication: &Publication) -> usize {
    /// Two strings and their place in a map.
    const TAG_BYTES: usize = 64;
    let info =
        |info: &ClientInfo| info.user.len() + info.client.len() + info.conn_info.len() + info.chan_info.len();
    let tag = |(key, value): (&String, &String)| key.len() + value.len() + TAG_BYTES;
    size_of::<Publication>()
        + publication.data.len()
        + publication.info.as_ref().map_or(0, info)
        + publication.tags.iter().map(tag).sum::<usize>()
        + publication.channel.len()
        + publication.key.len()
        + publication.epoch.len()
        + publication.prev_data.len()
}

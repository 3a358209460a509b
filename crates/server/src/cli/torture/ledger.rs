//! The ledger: what was published, what each subscriber was told of it, and whether the two agree.
//!
//! It knows no more than what the server has told somebody: acknowledgements with their positions, and publications
//! with theirs. That is enough. Every subscriber must hear offset after offset, so whoever ends at the top of a stream
//! has missed nothing; everybody must find the same number at the same offset, so nothing was published twice; and
//! what was acknowledged must be where the acknowledgement said. What a client keeps from its application is looked at
//! as well: a publication that arrives twice is a duplicate even if the client drops it.
//!
//! A ledger reads no clock and opens no socket; times are those since the beginning of the run.

mod hearing;
mod payload;
mod refusal;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use spanwire_client_core::{CallError, Event, Position};
use spanwire_wire::message::Publication;

use self::hearing::{Fault, Hearing, Place};
pub(super) use self::payload::payload;
pub use self::refusal::Refusal;
use self::stream::{Clash, Stream};
pub use self::tally::Tally;
pub use self::violation::{Sin, Violation};
use super::latency::Latency;

/// The number of a publication: the first of a run is 0. It is what the payload says.
pub type Number = u64;

/// The accounts of one run.
#[derive(Debug)]
pub struct Ledger {
    names: Vec<String>,
    indices: HashMap<String, usize>,
    streams: Vec<Stream>,
    /// By client and channel.
    hearings: BTreeMap<(usize, usize), Hearing>,
    /// By number.
    articles: Vec<Article>,
    guests: Vec<Guest>,
    tally: Tally,
    latency: Latency,
    violation: Option<Violation>,
    refusal: Option<Refusal>,
}

/// One client, as far as its connection goes.
#[derive(Clone, Debug, Default)]
struct Guest {
    was_in: bool,
    /// When it was let in, if it still is.
    in_since: Option<Duration>,
    /// Up to when it does not read, by our own will.
    deaf_until: Duration,
}

/// One publication.
#[derive(Debug)]
struct Article {
    channel: usize,
    /// The client that publishes it; `None` is a backend.
    publisher: Option<usize>,
    /// When it was asked for.
    sent: Duration,
    is_acknowledged: bool,
}

impl Ledger {
    /// Empty accounts of so many clients in these channels.
    pub(super) fn new(clients: usize, channels: Vec<String>) -> Self {
        Self {
            indices: channels.iter().cloned().zip(0..).collect(),
            streams: channels.iter().map(|_| Stream::default()).collect(),
            names: channels,
            hearings: BTreeMap::new(),
            articles: Vec::new(),
            guests: vec![Guest::default(); clients],
            tally: Tally::default(),
            latency: Latency::default(),
            violation: None,
            refusal: None,
        }
    }

    /// How often what has happened.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// From the wish to publish to the ear of each subscriber, where the publisher and the subscriber were connected
    /// all the time, and listened.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// The latencies so far, which are forgotten by it.
    pub(super) fn take_latency(&mut self) -> Latency {
        std::mem::take(&mut self.latency)
    }

    /// How the promise was broken first, if it was.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// What the server does not let us do.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// A client wants to listen to a channel.
    pub(super) fn subscribes(&mut self, client: usize, channel: usize) {
        self.hearings.entry((client, channel)).or_default();
    }

    /// Where a client stands in a channel.
    pub(super) fn position(&self, client: usize, channel: usize) -> Option<Position> {
        self.hearings.get(&(client, channel))?.at().cloned()
    }

    /// A client does not read until then: what comes later to it is not the server's delay.
    pub(super) fn stalls(&mut self, client: usize, until: Duration) {
        self.guests[client].deaf_until = until;
    }

    /// Something is to be published; the result is its number.
    pub(super) fn publishes(&mut self, now: Duration, publisher: Option<usize>, channel: usize) -> Number {
        self.tally.published += 1;
        self.articles.push(Article { channel, publisher, sent: now, is_acknowledged: false });
        self.articles.len() as Number - 1
    }

    /// The server says that it has published a number.
    pub(super) fn acknowledged(&mut self, number: Number, position: Option<&Position>) {
        let Some(article) = self.articles.get_mut(number as usize) else { return };
        article.is_acknowledged = true;
        self.tally.acknowledged += 1;
        let channel = article.channel;
        if let Some(position) = position {
            self.place(None, channel, position, number);
        }
    }

    /// A number was not published, or nobody knows.
    pub(super) fn failed(&mut self, error: &CallError) {
        match error {
            CallError::Refused(_) => self.tally.refused += 1,
            CallError::Nonsense => {
                self.tally.contradictions += 1;
                self.blame(Sin::Contradiction, None, 0, "an answer to a publish".into(), error.to_string());
            }
            _ => self.tally.unacknowledged += 1,
        }
    }

    /// A publication came over a client's connection, whatever the client makes of it.
    pub(super) fn arrived(&mut self, client: usize, channel: &str, publication: &Publication) {
        let Some(channel) = self.indices.get(channel).copied() else { return };
        let Some(hearing) = self.hearings.get(&(client, channel)) else { return };
        let told = hearing.arrived(&publication.epoch, publication.offset);
        self.judge(client, channel, told);
    }

    /// A client's application is told something.
    pub(super) fn told(&mut self, now: Duration, client: usize, event: &Event) {
        match event {
            Event::Connected { .. } => self.connected(now, client),
            Event::Disconnected { code, reason, will_retry_at } => {
                self.disconnected(client, *code, reason, will_retry_at.is_some());
            }
            Event::Subscribed { channel, position, .. } => {
                self.subscribed(client, channel, position.as_ref())
            }
            Event::Unsubscribed { channel, code, reason, will_retry_at } => {
                if *code != Event::CODE_WISH && will_retry_at.is_none() {
                    self.refuse(Refusal::Subscribe(channel.clone(), *code, reason.clone()));
                }
                if let Some((_, hearing)) = self.hearing(client, channel) {
                    hearing.ended(*code);
                }
            }
            Event::Publication { channel, publication, recovered } => {
                self.heard(now, client, channel, publication, *recovered);
            }
            Event::Gap { channel, from, to } => {
                self.tally.gaps += 1;
                if let Some((channel, hearing)) = self.hearing(client, channel) {
                    let told = hearing.gap(from, to);
                    self.judge(client, channel, told);
                }
            }
            Event::PublishAcked { key, position } => self.acknowledged(key.0, position.as_ref()),
            Event::PublishFailed { error, .. } => self.failed(error),
            Event::Join { .. } | Event::Leave { .. } | Event::Message(_) => {}
            // Nothing but publishes was asked.
            Event::Presence { .. } | Event::NoPresence { .. } => {}
            Event::Answered { .. } | Event::Failed { .. } => {}
        }
    }

    fn hearing(&mut self, client: usize, channel: &str) -> Option<(usize, &mut Hearing)> {
        let channel = *self.indices.get(channel)?;
        self.hearings.get_mut(&(client, channel)).map(|hearing| (channel, hearing))
    }

    fn connected(&mut self, now: Duration, client: usize) {
        let guest = &mut self.guests[client];
        guest.in_since = Some(now);
        self.tally.connects += 1;
        self.tally.reconnects += u64::from(std::mem::replace(&mut guest.was_in, true));
    }

    fn disconnected(&mut self, client: usize, code: u32, reason: &str, retries: bool) {
        self.tally.disconnects += 1;
        self.guests[client].in_since = None;
        if code == Event::CODE_BAD_PROTOCOL {
            self.tally.contradictions += 1;
            self.blame(Sin::Contradiction, Some(client), 0, "the protocol".into(), reason.to_owned());
        }
        if code != Event::CODE_WISH && !retries {
            self.refuse(Refusal::Connect(code, reason.to_owned()));
        }
        for (_, hearing) in self.hearings.range_mut((client, 0)..=(client, usize::MAX)) {
            hearing.lost(code);
        }
    }

    fn subscribed(&mut self, client: usize, channel: &str, position: Option<&Position>) {
        let Some(position) = position else {
            return self.refuse(Refusal::NoPositions(channel.to_owned()));
        };
        if let Some((channel, hearing)) = self.hearing(client, channel) {
            let told = hearing.subscribed(position);
            self.judge(client, channel, told);
        }
    }

    fn heard(
        &mut self,
        now: Duration,
        client: usize,
        channel: &str,
        publication: &Publication,
        recovered: bool,
    ) {
        self.tally.delivered += 1;
        self.tally.recovered += u64::from(recovered);
        let Some(index) = self.indices.get(channel).copied() else { return };
        let number = payload::number(&publication.data);
        let article = number.and_then(|number| self.articles.get(usize::try_from(number).ok()?));
        let (Some(number), Some(article)) = (number, article.filter(|article| article.channel == index))
        else {
            self.tally.contradictions += 1;
            let got = String::from_utf8_lossy(&publication.data).chars().take(80).collect();
            return self.blame(Sin::Contradiction, Some(client), index, "what we published".into(), got);
        };
        if !recovered && self.is_fair(article, client) {
            self.latency.record(now.saturating_sub(article.sent));
        }
        if publication.offset == 0 {
            return self.refuse(Refusal::NoPositions(channel.to_owned()));
        }
        let Some(hearing) = self.hearings.get_mut(&(client, index)) else { return };
        let (position, told) = hearing.heard(&publication.epoch, publication.offset, number, recovered);
        let is_new = !matches!(&told, Err(fault) if fault.sin == Sin::Duplicate);
        self.judge(client, index, told);
        if is_new {
            self.place(Some(client), index, &position, number);
        }
    }

    /// Whether the time that a publication took to a client is the server's.
    fn is_fair(&self, article: &Article, client: usize) -> bool {
        let was_in =
            |publisher: usize| self.guests[publisher].in_since.is_some_and(|since| since <= article.sent);
        article.publisher.is_none_or(was_in) && self.guests[client].deaf_until <= article.sent
    }

    fn place(&mut self, who: Option<usize>, channel: usize, position: &Position, number: Number) {
        let got = format!("number {number} at {}", Place(position));
        match self.streams[channel].place(position, number) {
            Ok(()) => {}
            Err(Clash::Taken(other)) => {
                self.tally.contradictions += 1;
                self.blame(Sin::Contradiction, who, channel, format!("number {other} there, as before"), got);
            }
            Err(Clash::Elsewhere(offset)) => {
                self.tally.duplicates += 1;
                let expected = format!("number {number} at offset {offset} and nowhere else");
                self.blame(Sin::Duplicate, who, channel, expected, got);
            }
        }
    }

    fn judge(&mut self, client: usize, channel: usize, told: Result<(), Fault>) {
        let Err(fault) = told else { return };
        let count = match fault.sin {
            Sin::Duplicate => &mut self.tally.duplicates,
            Sin::Lost => &mut self.tally.lost,
            Sin::OutOfOrder => &mut self.tally.out_of_order,
            Sin::Contradiction => &mut self.tally.contradictions,
        };
        *count += fault.count;
        self.tally.lost -= u64::from(fault.was_late);
        self.blame(fault.sin, Some(client), channel, fault.expected, fault.got);
    }

    fn blame(&mut self, sin: Sin, who: Option<usize>, channel: usize, expected: String, got: String) {
        if self.violation.is_some() {
            return;
        }
        let hearing = who.and_then(|client| self.hearings.get(&(client, channel)));
        let before = hearing.map(Hearing::words).unwrap_or_default();
        self.violation =
            Some(Violation { sin, who, channel: self.names[channel].clone(), expected, got, before });
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    /// How many subscribers are not subscribed at the moment.
    pub(super) fn absent(&self) -> usize {
        self.hearings.values().filter(|hearing| !hearing.is_live()).count()
    }

    /// How many subscribers have not come to the last word of their channel yet, given one number for each channel.
    pub(super) fn behind(&self, last_words: &[Number]) -> usize {
        self.hearings.keys().filter(|key| !self.has_reached(**key, last_words[key.1])).count()
    }

    /// Whether a subscriber has heard a number, or something behind it, or was told that it is missing.
    fn has_reached(&self, key: (usize, usize), number: Number) -> bool {
        let at = self.hearings.get(&key).and_then(Hearing::at);
        let reached =
            at.and_then(|at| self.streams[key.1].offset_of(&at.epoch, number).map(|offset| (at, offset)));
        reached.is_some_and(|(at, offset)| offset <= at.offset)
    }

    /// The end: after the last word of each channel nothing more was published, and everybody had time enough.
    pub(super) fn close(&mut self, last_words: &[Number]) {
        let behind = self.hearings.iter().filter_map(|(key, hearing)| {
            let last = last_words[key.1];
            (!self.has_reached(*key, last)).then(|| (*key, last, hearing.is_live()))
        });
        let behind: Vec<_> = behind.collect();
        for ((client, channel), last, is_live) in behind {
            self.tally.lost += 1;
            let got =
                if is_live { "silence, on a subscription that lives" } else { "no subscription any more" };
            self.blame(
                Sin::Lost,
                Some(client),
                channel,
                format!("the last word, number {last}"),
                got.to_owned(),
            );
        }
        self.close_unplaced();
    }

    /// What was acknowledged without its place, as by servers without our extension, must have been heard by somebody,
    /// unless its channel had a gap.
    fn close_unplaced(&mut self) {
        let mut had_gap = vec![false; self.names.len()];
        for ((_, channel), hearing) in &self.hearings {
            had_gap[*channel] |= hearing.had_gap();
        }
        let is_missing = |(number, article): &(Number, &Article)| {
            let Article { channel, is_acknowledged, .. } = **article;
            is_acknowledged && !had_gap[channel] && !self.streams[channel].has(*number)
        };
        let missing: Vec<_> = (0..)
            .zip(&self.articles)
            .filter(is_missing)
            .map(|(number, article)| (number, article.channel))
            .collect();
        for (number, channel) in missing {
            self.tally.lost += 1;
            let expected = format!("number {number}, which was acknowledged");
            self.blame(Sin::Lost, None, channel, expected, "nobody ever heard it".to_owned());
        }
    }
}

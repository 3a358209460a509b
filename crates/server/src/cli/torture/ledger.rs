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
mod stream;
mod tally;
mod violation;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Deserialize;
use spanwire_client::{CallError, Event, Position};
use spanwire_wire::message::Publication;

use self::hearing::{Fault, Hearing, Place};
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

/// Why nothing can be said about a server: it does not let us do what the promise is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not let a client in, with a code and a reason.
    Connect(u32, String),
    /// It does not let a client subscribe to a channel, with a code and a reason.
    Subscribe(String, u32, String),
    /// A channel has no positions: it has no history, or no recovery.
    NoPositions(String),
}

#[derive(Deserialize)]
struct Payload {
    n: Number,
}

/// What is published under a number: at least `bytes` long, if it is not longer anyway.
pub(super) fn payload(number: Number, bytes: usize) -> String {
    let bare = format!("{{\"n\":{number}}}");
    let room = bytes.saturating_sub(bare.len() + r#","pad":"""#.len());
    if room == 0 { bare } else { format!("{{\"n\":{number},\"pad\":\"{}\"}}", "x".repeat(room)) }
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
        let number = serde_json::from_slice::<Payload>(&publication.data).ok().map(|payload| payload.n);
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use spanwire_client::Key;

    use super::*;

    /// One client in one channel, subscribed at the beginning of the epoch "a".
    struct Scene(Ledger);

    impl Scene {
        fn new() -> Self {
            let mut ledger = Ledger::new(2, vec!["news".to_owned()]);
            ledger.subscribes(0, 0);
            let mut scene = Self(ledger);
            scene.subscribed(at(0));
            scene
        }

        fn subscribed(&mut self, position: Option<Position>) {
            self.tell(Event::Subscribed {
                channel: "news".to_owned(),
                recovered: false,
                was_recovering: false,
                position,
                data: Bytes::new(),
            });
        }

        fn tell(&mut self, event: Event) {
            self.0.told(Duration::ZERO, 0, &event);
        }

        fn publish(&mut self) -> Number {
            self.0.publishes(Duration::ZERO, None, 0)
        }

        fn hear(&mut self, offset: u64, number: Number) {
            let publication = publication(offset, number);
            self.tell(Event::Publication { channel: "news".to_owned(), publication, recovered: false });
        }

        fn ack(&mut self, number: Number, offset: u64) {
            self.tell(Event::PublishAcked { key: Key(number), position: at(offset) });
        }

        fn sin(&self) -> Option<Sin> {
            self.0.violation().map(|violation| violation.sin)
        }
    }

    fn at(offset: u64) -> Option<Position> {
        Some(Position { offset, epoch: "a".to_owned() })
    }

    fn publication(offset: u64, number: Number) -> Publication {
        Publication { data: payload(number, 0).into(), offset, ..Publication::default() }
    }

    #[test]
    fn a_promise_that_is_kept_leaves_no_violation() {
        let mut scene = Scene::new();
        for offset in 1..=3 {
            let number = scene.publish();
            scene.ack(number, offset);
            scene.hear(offset, number);
        }
        assert_eq!(scene.0.behind(&[2]), 0);
        scene.0.close(&[2]);
        assert!(scene.0.violation().is_none() && scene.0.tally().is_clean());
        assert_eq!((scene.0.tally().acknowledged, scene.0.tally().delivered), (3, 3));
    }

    #[test]
    fn the_wrong_number_at_a_place_is_seen() {
        let mut scene = Scene::new();
        let (first, second) = (scene.publish(), scene.publish());
        scene.ack(first, 1);
        scene.hear(1, second);
        assert_eq!((scene.sin(), scene.0.tally().contradictions), (Some(Sin::Contradiction), 1));
    }

    #[test]
    fn what_is_published_at_two_places_is_a_duplicate() {
        let mut scene = Scene::new();
        let number = scene.publish();
        scene.hear(1, number);
        scene.hear(2, number);
        assert_eq!((scene.sin(), scene.0.tally().duplicates), (Some(Sin::Duplicate), 1));
    }

    #[test]
    fn what_a_client_keeps_to_itself_is_seen_all_the_same() {
        let mut scene = Scene::new();
        let number = scene.publish();
        scene.0.arrived(0, "news", &publication(1, number));
        scene.hear(1, number);
        assert_eq!(scene.sin(), None);
        scene.0.arrived(0, "news", &publication(1, number));
        assert_eq!((scene.sin(), scene.0.tally().duplicates), (Some(Sin::Duplicate), 1));
    }

    #[test]
    fn an_acknowledged_publication_that_nobody_hears_is_lost() {
        let mut scene = Scene::new();
        let (lost, last) = (scene.publish(), scene.publish());
        scene.tell(Event::PublishAcked { key: Key(lost), position: None });
        scene.hear(1, last);
        scene.0.close(&[last]);
        assert_eq!((scene.sin(), scene.0.tally().lost), (Some(Sin::Lost), 1));
    }

    #[test]
    fn silence_at_the_end_is_a_loss_and_names_who_suffers_it() {
        let mut scene = Scene::new();
        let last = scene.publish();
        scene.ack(last, 1);
        assert_eq!(scene.0.behind(&[last]), 1);
        scene.0.close(&[last]);
        let violation = scene.0.violation().unwrap();
        assert_eq!((violation.sin, violation.who), (Sin::Lost, Some(0)));
    }

    #[test]
    fn who_is_told_that_the_last_word_is_missing_has_come_to_it() {
        let mut scene = Scene::new();
        let last = scene.publish();
        let channel = "news".to_owned();
        scene.tell(Event::Gap { channel, from: at(0).unwrap(), to: at(3).unwrap() });
        assert_eq!(scene.0.behind(&[last]), 1, "nobody knows where it is");
        scene.ack(last, 3);
        assert_eq!(scene.0.behind(&[last]), 0);
    }

    #[test]
    fn a_publication_that_came_late_is_not_lost_any_more() {
        let mut scene = Scene::new();
        let (first, second) = (scene.publish(), scene.publish());
        scene.hear(2, second);
        assert_eq!(scene.0.tally().lost, 1);
        scene.hear(1, first);
        assert_eq!((scene.0.tally().lost, scene.0.tally().out_of_order), (0, 1));
    }

    #[test]
    fn what_the_server_does_not_allow_is_no_broken_promise() {
        let refused = Event::Unsubscribed {
            channel: "news".to_owned(),
            code: 103,
            reason: "permission denied".to_owned(),
            will_retry_at: None,
        };
        let mut scene = Scene::new();
        scene.tell(refused);
        let expected = Refusal::Subscribe("news".to_owned(), 103, "permission denied".to_owned());
        assert_eq!((scene.0.refusal(), scene.sin()), (Some(&expected), None));
        let mut scene = Scene::new();
        scene.subscribed(None);
        assert_eq!(scene.0.refusal(), Some(&Refusal::NoPositions("news".to_owned())));
    }

    #[test]
    fn only_the_servers_delay_is_a_latency() {
        let connected = Event::Connected { client: "c".to_owned(), data: Bytes::new(), idempotent: true };
        let lost = Event::Disconnected { code: 1006, reason: String::new(), will_retry_at: None };
        let at = Duration::from_secs;
        let mut scene = Scene::new();
        let hear = |scene: &mut Scene, now, offset, number| {
            let publication = publication(offset, number);
            let heard = Event::Publication { channel: "news".to_owned(), publication, recovered: false };
            scene.0.told(now, 0, &heard);
            scene.0.latency().count()
        };
        scene.0.told(at(1), 1, &connected);
        let numbers: Vec<_> = (2..5).map(|now| scene.0.publishes(at(now), Some(1), 0)).collect();
        assert_eq!(hear(&mut scene, at(6), 1, numbers[0]), 1);
        scene.0.stalls(0, at(4));
        assert_eq!(hear(&mut scene, at(6), 2, numbers[1]), 1, "it did not listen");
        scene.0.told(at(6), 1, &lost);
        scene.0.told(at(7), 1, &connected);
        assert_eq!(hear(&mut scene, at(8), 3, numbers[2]), 1, "the publisher was away");
    }

    #[test]
    fn a_payload_is_as_long_as_was_asked_and_says_its_number() {
        for (bytes, length) in [(0, 8), (8, 8), (19, 19), (100, 100)] {
            let text = payload(17, bytes);
            assert_eq!(text.len(), length, "{text}");
            assert_eq!(serde_json::from_str::<Payload>(&text).unwrap().n, 17);
        }
    }
}

//! What subscribers ought to hear.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::message::{Publication, SubscribeRequest, UnsubscribeRequest};
use spanwire_wire::{Encoding, Outcome, Push, PushEvent, Reply, Request, delta};

/// How many publications each channel had. They are numbered from 1, those past the history by themselves.
pub(super) type Published = BTreeMap<String, Count>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) stream: u64,
    pub(super) past: u64,
}

/// Longest payload that a patch may make.
const PAYLOAD_BYTES_MAX: usize = 1 << 16;

/// One client, as it sees itself.
#[derive(Debug)]
pub(super) struct Client {
    encoding: Encoding,
    pub(super) reads: bool,
    pub(super) closed: bool,
    pub(super) pings: usize,
    next_command: u32,
    asked: BTreeMap<u32, Asked>,
    live: BTreeMap<String, Subscription>,
    /// Where it left channels with a position: the last number it heard, and the epoch.
    left: BTreeMap<String, (u64, String)>,
}

#[derive(Debug)]
enum Asked {
    /// With the number of publications at that moment.
    Subscribe {
        channel: String,
        published: Count,
        since: Option<u64>,
        /// It hears only numbers that this divides.
        every: u64,
    },
    Unsubscribe {
        channel: String,
    },
    Other,
}

#[derive(Debug)]
struct Subscription {
    /// Nothing older than this may be heard.
    after: u64,
    /// The last number heard; `None` before the first.
    heard: Option<u64>,
    /// How many there were when the reply was read: all behind these must be heard.
    live_from: Count,
    /// The last number heard of those past the history, or that it need not hear.
    past: u64,
    /// Something may be left out. Of the odd and the even numbers, the last ones heard.
    conflates: Option<[u64; 2]>,
    /// It takes deltas. What it heard last.
    delta: Option<Option<Bytes>>,
    /// Only numbers that this divides are heard.
    every: u64,
    epoch: Option<String>,
}

impl Client {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            reads: true,
            closed: false,
            pings: 0,
            // What is sent as garbage has smaller ids.
            next_command: 1000,
            asked: BTreeMap::new(),
            live: BTreeMap::new(),
            left: BTreeMap::new(),
        }
    }

    /// A request of this client and its id.
    pub(super) fn ask(&mut self, request: &Request, published: &Published) -> u32 {
        let asked = match request {
            Request::Subscribe(SubscribeRequest { channel, recover, offset, tf, .. }) => Asked::Subscribe {
                channel: channel.clone(),
                published: published[channel],
                since: recover.then_some(*offset),
                every: if tf.is_some() { 2 } else { 1 },
            },
            Request::Unsubscribe(UnsubscribeRequest { channel }) => {
                Asked::Unsubscribe { channel: channel.clone() }
            }
            _ => Asked::Other,
        };
        self.next_command += 1;
        self.asked.insert(self.next_command, asked);
        self.next_command
    }

    /// Where to go on in a channel.
    pub(super) fn position(&self, channel: &str) -> Option<(u64, String)> {
        self.left.get(channel).cloned()
    }

    pub(super) fn hear_reply(&mut self, reply: Reply, published: &Published) {
        match (self.asked.remove(&reply.id), reply.outcome) {
            (
                Some(Asked::Subscribe { channel, published: begun, since, every }),
                Outcome::Subscribe(result),
            ) => {
                let (after, heard) = match (result.positioned, since) {
                    (true, Some(since)) if result.recovered => (since, Some(since)),
                    (true, _) => (result.offset, Some(result.offset)),
                    (false, _) => (begun.stream, None),
                };
                let epoch = result.positioned.then_some(result.epoch);
                let live_from = published[&channel];
                let conflates = (every == 1 && channel.starts_with("ticks")).then_some([0; 2]);
                let delta = result.delta.then_some(None);
                let subscription = Subscription {
                    after,
                    heard,
                    live_from,
                    past: begun.past,
                    conflates,
                    delta,
                    every,
                    epoch,
                };
                self.go_live(channel, subscription, &result.publications);
            }
            (Some(Asked::Unsubscribe { channel }), Outcome::Unsubscribe(_)) => self.leave(&channel),
            (Some(Asked::Subscribe { .. }), outcome) => {
                assert!(matches!(outcome, Outcome::Error(_)), "a subscribe is answered by {outcome:?}");
            }
            (asked, _) => assert!(asked.is_some() || reply.id < 1000, "reply {} to nothing", reply.id),
        }
    }

    pub(super) fn hear_push(&mut self, push: &Push) {
        match &push.event {
            PushEvent::Publication(publication) => {
                let subscription = self.live.get_mut(&push.channel);
                let subscription = subscription.expect("nothing is heard outside of a subscription");
                subscription.hear(publication, self.encoding);
            }
            PushEvent::Unsubscribe(_) => {
                assert!(self.live.contains_key(&push.channel), "an end of what there was not");
                self.leave(&push.channel);
            }
            PushEvent::Join(_) | PushEvent::Leave(_) => {
                assert!(self.live.contains_key(&push.channel), "company in a channel that it is not in");
            }
            _ => {}
        }
    }

    fn go_live(&mut self, channel: String, mut subscription: Subscription, missed: &[Publication]) {
        missed.iter().for_each(|publication| subscription.hear(publication, self.encoding));
        let before = self.live.insert(channel, subscription);
        assert!(before.is_none(), "subscribed twice");
    }

    fn leave(&mut self, channel: &str) {
        let Some(Subscription { heard: Some(heard), epoch: Some(epoch), .. }) = self.live.remove(channel)
        else {
            return;
        };
        self.left.insert(channel.to_owned(), (heard, epoch));
    }

    /// Everything that was published since a reply has been heard.
    pub(super) fn check(&self, published: &Published) {
        for (channel, subscription) in &self.live {
            let (count, Subscription { live_from, every, .. }) = (published[channel], subscription);
            if count.past > live_from.past && *every == 1 {
                assert_eq!(subscription.past, count.past, "{channel}: {subscription:?}");
            }
            if let Some(latest) = subscription.conflates {
                for last in [count.stream, count.stream.saturating_sub(1)] {
                    let heard = latest[(last % 2) as usize];
                    assert!(last <= live_from.stream || heard == last, "{channel}: {subscription:?}");
                }
                continue;
            }
            let last = count.stream / every * every;
            if last > live_from.stream {
                assert_eq!(subscription.heard, Some(last), "{channel}: {subscription:?}");
            }
        }
    }
}

impl Subscription {
    /// The first number behind this one that is to be heard.
    fn next_behind(&self, number: u64) -> u64 {
        (number / self.every + 1) * self.every
    }

    /// What a publication says, of which a patch may have been told.
    fn unpack(&mut self, publication: &Publication, encoding: Encoding) -> Bytes {
        let Some(base) = &mut self.delta else {
            assert!(!publication.delta, "a patch for somebody who takes none");
            return publication.data.clone();
        };
        let said = match encoding {
            Encoding::Json => delta::from_json(&publication.data).expect("a string"),
            Encoding::Protobuf => publication.data.clone(),
        };
        let payload = match publication.delta {
            true => {
                let base = base.as_ref().expect("a patch goes to those who have its base");
                delta::apply(base, &said, PAYLOAD_BYTES_MAX).expect("the patch is one of this base").into()
            }
            false => said,
        };
        *base = Some(Bytes::clone(&payload));
        payload
    }

    fn hear(&mut self, publication: &Publication, encoding: Encoding) {
        let payload = self.unpack(publication, encoding);
        let digits: Vec<u8> = payload.iter().copied().filter(u8::is_ascii_digit).collect();
        let number: u64 = String::from_utf8_lossy(&digits).parse().expect("publications are numbered");
        if payload.starts_with(b"{") {
            return self.hear_past(number, publication.offset);
        }
        assert!(number > self.after, "{number} was published before {self:?}");
        match self.heard {
            Some(heard) if self.conflates.is_some() => assert!(number > heard, "{number} behind {self:?}"),
            Some(heard) => assert_eq!(number, self.next_behind(heard), "what follows in {self:?}"),
            None => {
                let first = self.next_behind(self.live_from.stream);
                assert!(number <= first, "{number} is not the first of {self:?}")
            }
        }
        if let Some(latest) = &mut self.conflates {
            latest[(number % 2) as usize] = number;
        }
        if self.epoch.is_some() {
            assert_eq!(publication.offset, number, "offsets count publications");
        }
        self.heard = Some(number);
    }

    fn hear_past(&mut self, number: u64, offset: u64) {
        assert_eq!(
            (offset, self.every),
            (0, 1),
            "what is past the history has no offset, and passes no filter"
        );
        let is_next = number == self.past + 1 || number <= self.live_from.past + 1;
        assert!(number > self.past && (is_next || self.conflates.is_some()), "{number} behind {self:?}");
        self.past = number;
    }
}

//! What subscribers ought to hear.

use std::collections::BTreeMap;

use spanwire_wire::message::{Publication, SubscribeRequest, UnsubscribeRequest};
use spanwire_wire::{Outcome, Push, PushEvent, Reply, Request};

/// Numbers of the publications of each channel, from 1: how many there were.
pub(super) type Published = BTreeMap<String, u64>;

/// One client, as it sees itself.
#[derive(Debug, Default)]
pub(super) struct Client {
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
        published: u64,
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
    live_from: u64,
    /// Only numbers that this divides are heard.
    every: u64,
    epoch: Option<String>,
}

impl Client {
    pub(super) fn new() -> Self {
        // What is sent as garbage has smaller ids.
        Self { reads: true, next_command: 1000, ..Self::default() }
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
                    (false, _) => (begun, None),
                };
                let epoch = result.positioned.then_some(result.epoch);
                let live_from = published[&channel];
                let subscription = Subscription { after, heard, live_from, every, epoch };
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
                subscription.expect("nothing is heard outside of a subscription").hear(publication);
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
        missed.iter().for_each(|publication| subscription.hear(publication));
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
            let last = published[channel] / subscription.every * subscription.every;
            if last > subscription.live_from {
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

    fn hear(&mut self, publication: &Publication) {
        let digits: Vec<u8> = publication.data.iter().copied().filter(u8::is_ascii_digit).collect();
        let number: u64 = String::from_utf8_lossy(&digits).parse().expect("publications are numbered");
        assert!(number > self.after, "{number} was published before {self:?}");
        match self.heard {
            Some(heard) => assert_eq!(number, self.next_behind(heard), "what follows in {self:?}"),
            None => {
                assert!(number <= self.next_behind(self.live_from), "{number} is not the first of {self:?}")
            }
        }
        if self.epoch.is_some() {
            assert_eq!(publication.offset, number, "offsets count publications");
        }
        self.heard = Some(number);
    }
}

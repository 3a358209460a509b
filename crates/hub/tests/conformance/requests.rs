//! Random sequences of what listeners may ask of a broker.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use spanwire_hub::broker::{
    Broker, BrokerEvent, BrokerRequest, Draft, HistoryOptions, HistoryQuery, Listener, MemoryBroker, Recall,
    Ticket,
};
use spanwire_hub::channel::{Channel, Position};
use spanwire_hub::time::{Instant, Now};
use spanwire_wire::message::{ClientInfo, Publication};

/// So little for so short a time that a few requests meet every limit.
pub(crate) const HISTORY: HistoryOptions =
    HistoryOptions { size: 4, ttl: Duration::from_secs(20), meta_ttl: Duration::from_secs(60) };

/// One step of a sequence: a request about a channel, or time that passes.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask { from: u16, channel: usize, what: What },
    Pass { seconds: u64, is_swept: bool },
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Publish { is_kept: bool, key: Option<u8> },
    Subscribe { since: Option<Since>, limit: usize, most: Option<NonZeroU32> },
    SubscribeToLatest,
    Unsubscribe,
    Join,
    Leave,
    History { since: Option<Since>, limit: Option<usize>, is_reverse: bool },
    RemoveHistory,
}

/// A position, relative to what the stream will be at when it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    /// Counted down from two offsets above the top.
    pub(crate) down: u64,
    pub(crate) epoch: Era,
}

/// An epoch, relative to those that were seen before.
#[derive(Clone, Debug)]
pub(crate) enum Era {
    Current,
    Former(usize),
    Unknown,
    None,
}

pub(crate) fn steps(channels: usize) -> impl Strategy<Value = Vec<Step>> {
    let ask =
        (0..3u16, 0..channels, what()).prop_map(|(from, channel, what)| Step::Ask { from, channel, what });
    let pass = (0..30u64, any::<bool>()).prop_map(|(seconds, is_swept)| Step::Pass { seconds, is_swept });
    proptest::collection::vec(prop_oneof![6 => ask, 1 => pass], 1..120)
}

fn what() -> impl Strategy<Value = What> {
    let key = prop_oneof![2 => Just(None), 1 => (0..4u8).prop_map(Some)];
    let limit = prop_oneof![Just(None), (0..7usize).prop_map(Some)];
    prop_oneof![
        8 => (prop_oneof![5 => Just(true), 1 => Just(false)], key)
            .prop_map(|(is_kept, key)| What::Publish { is_kept, key }),
        4 => (since(), 0..7usize, (0..4u32).prop_map(NonZeroU32::new))
            .prop_map(|(since, limit, most)| What::Subscribe { since, limit, most }),
        2 => Just(What::SubscribeToLatest),
        3 => Just(What::Unsubscribe),
        1 => Just(What::Join),
        1 => Just(What::Leave),
        4 => (since(), limit, any::<bool>())
            .prop_map(|(since, limit, is_reverse)| What::History { since, limit, is_reverse }),
        1 => Just(What::RemoveHistory),
    ]
}

fn since() -> impl Strategy<Value = Option<Since>> {
    let epoch = prop_oneof![
        4 => Just(Era::Current),
        1 => (0..3usize).prop_map(Era::Former),
        1 => Just(Era::Unknown),
        1 => Just(Era::None),
    ];
    prop_oneof![
        1 => Just(None),
        3 => (0..10u64, epoch).prop_map(|(down, epoch)| Some(Since { down, epoch })),
    ]
}

/// A broker that is asked one thing after the other.
pub(crate) struct Asked {
    pub(crate) broker: MemoryBroker,
    pub(crate) clock_ms: u64,
}

impl Asked {
    pub(crate) fn new(broker: MemoryBroker) -> Self {
        Self { broker, clock_ms: 0 }
    }

    fn now(&self) -> Now {
        Now { at: Instant::from_millis(self.clock_ms), unix_ms: 0 }
    }

    pub(crate) fn pass(&mut self, seconds: u64, is_swept: bool) {
        self.clock_ms += seconds * 1000;
        if is_swept {
            self.broker.expire(self.now());
        }
    }

    /// Submits, and gives all that comes of it.
    pub(crate) fn ask(
        &mut self,
        from: u16,
        channel: usize,
        request: BrokerRequest,
    ) -> Vec<(Listener, BrokerEvent)> {
        let channel = Channel::new(&channel.to_string());
        self.broker.submit(self.now(), Listener(from), Ticket(7), &channel, request);
        std::iter::from_fn(|| self.broker.poll()).collect()
    }
}

/// The request that a step stands for.
pub(crate) fn request(what: &What, data: &str, position: impl Fn(&Since) -> Position) -> BrokerRequest {
    match what {
        What::Publish { is_kept, key } => BrokerRequest::Publish(Draft {
            publication: Publication {
                data: Bytes::copy_from_slice(data.as_bytes()),
                ..Publication::default()
            },
            history: is_kept.then_some(HISTORY),
            rate: Default::default(),
            idempotency_key: key.map(|key| Bytes::copy_from_slice(&[key])),
            delta: false,
        }),
        What::Subscribe { since, limit, most } => BrokerRequest::Subscribe {
            history: Some(HISTORY),
            recall: since
                .as_ref()
                .map_or(Recall::Nothing, |since| Recall::Since { position: position(since), limit: *limit }),
            subscribers_max: *most,
        },
        What::SubscribeToLatest => BrokerRequest::Subscribe {
            history: Some(HISTORY),
            recall: Recall::Latest { filter: None, limit: 1 },
            subscribers_max: None,
        },
        What::Unsubscribe => BrokerRequest::Unsubscribe,
        What::Join => BrokerRequest::Join(client(data)),
        What::Leave => BrokerRequest::Leave(client(data)),
        What::History { since, limit, is_reverse } => BrokerRequest::History {
            history: HISTORY,
            query: HistoryQuery { limit: *limit, since: since.as_ref().map(position), reverse: *is_reverse },
        },
        What::RemoveHistory => BrokerRequest::RemoveHistory,
    }
}

fn client(name: &str) -> ClientInfo {
    ClientInfo { client: name.to_owned(), ..ClientInfo::default() }
}

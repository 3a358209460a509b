//! What is particular to the broker in memory: its limits, and what it costs. Its promises to listeners are tested by
//! [`crate::conformance`].

use bytes::Bytes;
use spanwire_wire::message::Publication;

use super::*;
use crate::broker::BrokerError;
use crate::broker::{Draft, HistoryOptions};
use crate::channel::Position;

const ANN: Listener = Listener(0);
const HISTORY: HistoryOptions =
    HistoryOptions { size: 10, ttl: Duration::from_secs(100), meta_ttl: Duration::from_secs(1000) };
/// A payload, and what keeping its publication counts.
const DATA: &[u8] = &[b'1'; 1000];
const PUBLICATION_BYTES: usize = size_of::<Publication>() + DATA.len();

/// A broker, asked by one listener at times of its own.
struct Room {
    broker: MemoryBroker,
    seconds: u64,
}

impl Room {
    fn new(limits: MemoryLimits) -> Self {
        Self { broker: MemoryBroker::new(limits, [1; 32]), seconds: 0 }
    }

    fn now(&self) -> Now {
        Now { at: Instant::from_millis(self.seconds * 1000), unix_ms: 0 }
    }

    fn ask(&mut self, channel: &str, request: BrokerRequest) -> BrokerAnswer {
        self.broker.submit(self.now(), ANN, Ticket(1), &Channel::new(channel), request);
        let mut events: Vec<_> = std::iter::from_fn(|| self.broker.poll()).collect();
        match events.pop() {
            Some((ANN, BrokerEvent::Answer(Ticket(1), answer))) => answer,
            other => panic!("the answer comes last: {other:?}"),
        }
    }

    fn publish_keyed(&mut self, channel: &str, data: &'static [u8], key: Option<Bytes>) -> u64 {
        let publication = Publication { data: Bytes::from_static(data), ..Publication::default() };
        let draft = Draft {
            publication,
            history: Some(HISTORY),
            idempotency_key: key,
            rate: Default::default(),
            delta: false,
        };
        match self.ask(channel, BrokerRequest::Publish(draft)) {
            BrokerAnswer::Published(Some(position)) => position.offset,
            other => panic!("{other:?}"),
        }
    }

    fn publish(&mut self, channel: &str) -> u64 {
        self.publish_keyed(channel, DATA, None)
    }

    fn subscribe(&mut self, channel: &str) -> Position {
        let request = BrokerRequest::Subscribe {
            history: Some(HISTORY),
            recall: Recall::Nothing,
            subscribers_max: None,
        };
        match self.ask(channel, request) {
            BrokerAnswer::Subscribed { top: Some(top), .. } => top,
            other => panic!("{other:?}"),
        }
    }

    /// Makes an idle stream that nobody published to, as a passing subscriber does.
    fn visit(&mut self, channel: &str) -> Position {
        let top = self.subscribe(channel);
        self.ask(channel, BrokerRequest::Unsubscribe);
        top
    }

    /// The offsets kept, and the top.
    fn history(&mut self, channel: &str) -> (Vec<u64>, Position) {
        let query = HistoryQuery { limit: None, since: None, reverse: false };
        match self.ask(channel, BrokerRequest::History { history: HISTORY, query }) {
            BrokerAnswer::History { publications, top } => {
                (publications.iter().map(|kept| kept.offset).collect(), top)
            }
            other => panic!("{other:?}"),
        }
    }

    fn expire(&mut self) {
        self.broker.expire(self.now());
    }
}

#[test]
fn listeners_hear_a_publication_before_its_publisher_is_answered() {
    let mut broker = MemoryBroker::new(MemoryLimits::default(), [1; 32]);
    let channel = Channel::new("room");
    for listener in [Listener(5), Listener(2)] {
        let request =
            BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max: None };
        broker.submit(Now::default(), listener, Ticket::NOBODY, &channel, request);
    }
    let draft = Draft {
        publication: Publication::default(),
        history: None,
        idempotency_key: None,
        rate: Default::default(),
        delta: false,
    };
    broker.submit(Now::default(), ANN, Ticket(1), &channel, BrokerRequest::Publish(draft));
    let events: Vec<_> = std::iter::from_fn(|| broker.poll()).collect();
    assert!(
        matches!(
            &events[..],
            [
                (Listener(2), BrokerEvent::Publication(..)),
                (Listener(5), BrokerEvent::Publication(..)),
                (ANN, BrokerEvent::Answer(..)),
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn an_epoch_is_eight_letters_that_depend_on_the_seed() {
    let epoch = |seed| {
        let mut room = Room { broker: MemoryBroker::new(MemoryLimits::default(), seed), seconds: 0 };
        room.visit("room").epoch
    };
    let first = epoch([1; 32]);
    assert!(
        first.as_str().len() == 8 && first.as_str().bytes().all(|letter| letter.is_ascii_lowercase()),
        "{first:?}"
    );
    assert_eq!(first, epoch([1; 32]));
    assert_ne!(first, epoch([2; 32]));
}

#[test]
fn a_channel_whose_listeners_left_costs_nothing_unless_it_has_a_stream() {
    let mut room = Room::new(MemoryLimits::default());
    room.ask(
        "plain",
        BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max: None },
    );
    assert_eq!(room.broker.usage().channels, 1);
    for request in [BrokerRequest::Unsubscribe, BrokerRequest::RemoveHistory, BrokerRequest::Unsubscribe] {
        room.ask("plain", request);
        assert_eq!(room.broker.usage(), MemoryUsage::default());
    }
    room.visit("stream");
    assert_eq!(room.broker.usage(), MemoryUsage { channels: 1, idle_streams: 1, ..MemoryUsage::default() });
}

#[test]
fn a_listener_beyond_the_limit_is_refused_and_leaves_nothing() {
    let mut broker = MemoryBroker::new(MemoryLimits::default(), [1; 32]);
    for (number, is_taken) in [(MemoryBroker::LISTENERS_MAX - 1, true), (MemoryBroker::LISTENERS_MAX, false)]
    {
        let request = BrokerRequest::Subscribe {
            history: Some(HISTORY),
            recall: Recall::Nothing,
            subscribers_max: None,
        };
        let channel = Channel::new(&number.to_string());
        broker.submit(Now::default(), Listener(number), Ticket(1), &channel, request);
        let Some((_, BrokerEvent::Answer(_, answer))) = broker.poll() else { panic!("answered at once") };
        assert_eq!(matches!(answer, BrokerAnswer::Subscribed { .. }), is_taken, "{answer:?}");
        assert_eq!(
            matches!(answer, BrokerAnswer::Refused(BrokerError::Unavailable)),
            !is_taken,
            "{answer:?}"
        );
    }
    assert_eq!(broker.usage().channels, 1);
}

#[test]
fn a_stream_that_is_listened_to_keeps_its_epoch_however_quiet_it_is() {
    let mut room = Room::new(MemoryLimits::default());
    let top = room.subscribe("room");
    for _ in 0..3 {
        room.seconds += 10 * HISTORY.meta_ttl.as_secs();
        room.expire();
    }
    assert_eq!(room.history("room").1, top);
}

#[test]
fn names_made_up_by_passing_subscribers_take_no_more_than_their_limit() {
    let mut room = Room::new(MemoryLimits { idle_streams_max: 100, ..MemoryLimits::default() });
    for number in 0..5000 {
        room.visit(&format!("made up {number}"));
        assert!(room.broker.usage().channels <= 100);
    }
}

#[test]
fn streams_that_nobody_published_to_make_room_first_and_those_listened_to_never() {
    let mut room = Room::new(MemoryLimits { idle_streams_max: 3, ..MemoryLimits::default() });
    let listened = room.subscribe("listened");
    room.publish("published");
    for name in ["a", "b", "c", "d", "e"] {
        room.seconds += 20;
        room.visit(name);
    }
    assert_eq!(room.broker.usage().idle_streams, 3);
    assert_eq!(room.history("published").1.offset, 1);
    assert_eq!(room.history("listened").1, listened);
    for name in ["f", "g"] {
        room.seconds += 20;
        room.publish(name);
    }
    // Now there are only published ones, of which the one used longest ago goes.
    room.seconds += 20;
    room.publish("published");
    room.seconds += 20;
    room.publish("h");
    let tops = ["published", "g", "h"].map(|name| room.history(name).1.offset);
    assert_eq!(tops, [2, 1, 1]);
    room.seconds += 20;
    assert_eq!(room.history("f").1.offset, 0);
}

#[test]
fn the_oldest_histories_lose_their_oldest_publications_when_room_is_needed() {
    let mut room =
        Room::new(MemoryLimits { history_bytes_max: 4 * PUBLICATION_BYTES + 50, ..MemoryLimits::default() });
    for (channel, expected) in [
        ("old", [vec![1], vec![]]),
        ("old", [vec![1, 2], vec![]]),
        ("new", [vec![1, 2], vec![1]]),
        ("new", [vec![1, 2], vec![1, 2]]),
        ("new", [vec![2], vec![1, 2, 3]]),
        ("new", [vec![], vec![1, 2, 3, 4]]),
        ("new", [vec![], vec![2, 3, 4, 5]]),
    ] {
        room.seconds += 20;
        room.publish(channel);
        // Reading does not make a history younger.
        assert_eq!(["old", "new"].map(|channel| room.history(channel).0), expected);
    }
    assert_eq!(room.history("old").1.offset, 2, "the position stays");
}

#[test]
fn a_publication_too_large_to_keep_takes_its_own_history_and_no_other() {
    let mut room =
        Room::new(MemoryLimits { history_bytes_max: 2 * PUBLICATION_BYTES + 50, ..MemoryLimits::default() });
    room.publish("other");
    room.publish("room");
    assert_eq!(room.publish_keyed("room", &[b'1'; 5000], None), 2);
    assert!(room.history("room").0.is_empty());
    assert_eq!(room.history("other").0, [1]);
    assert_eq!(room.publish("room"), 3);
    assert_eq!(room.history("room").0, [3]);
}

#[test]
fn bytes_are_counted_as_long_as_their_publications_are_kept() {
    let mut room = Room::new(MemoryLimits::default());
    let small = HistoryOptions { size: 2, ..HISTORY };
    // The first publication has an epoch to carry.
    for (count, expected) in [(1, 1), (2, 2), (3, 3)] {
        assert_eq!(room.publish("room"), count);
        assert_eq!(room.broker.usage().history_bytes, expected * PUBLICATION_BYTES + 8);
    }
    let publication = Publication { data: Bytes::from_static(DATA), ..Publication::default() };
    let draft = Draft {
        publication,
        history: Some(small),
        idempotency_key: None,
        rate: Default::default(),
        delta: false,
    };
    room.ask("room", BrokerRequest::Publish(draft));
    assert_eq!(room.broker.usage().history_bytes, 2 * PUBLICATION_BYTES);
    room.seconds += HISTORY.ttl.as_secs();
    room.expire();
    assert_eq!(room.broker.usage().history_bytes, 0);
    room.publish("room");
    assert_eq!(room.broker.usage().history_bytes, PUBLICATION_BYTES);
    room.ask("room", BrokerRequest::RemoveHistory);
    assert_eq!(room.broker.usage().history_bytes, 0);
}

#[test]
fn beyond_their_number_the_oldest_keys_of_a_channel_are_forgotten() {
    let mut room = Room::new(MemoryLimits { idempotency_keys_per_channel_max: 2, ..MemoryLimits::default() });
    let mut publish = |channel, key| room.publish_keyed(channel, b"1", Some(Bytes::from_static(key)));
    assert_eq!(publish("other", b"a"), 1);
    assert_eq!([publish("room", b"a"), publish("room", b"b"), publish("room", b"a")], [1, 2, 1]);
    assert_eq!([publish("room", b"c"), publish("room", b"b"), publish("room", b"c")], [3, 2, 3]);
    assert_eq!(publish("room", b"a"), 4, "this key was the oldest of three");
    assert_eq!(publish("other", b"a"), 1);
}

#[test]
fn beyond_their_bytes_the_oldest_keys_of_all_channels_are_forgotten() {
    let mut room = Room::new(MemoryLimits { idempotency_bytes_max: 5000, ..MemoryLimits::default() });
    let key = |letter| Bytes::from(vec![letter; 1000]);
    for (channel, letter, offset) in [
        ("a", b'1', 1),
        ("b", b'1', 1),
        ("b", b'2', 2),
        ("a", b'1', 1),
        ("b", b'3', 3),
        ("a", b'1', 2),
        ("b", b'3', 3),
    ] {
        room.seconds += 20;
        assert_eq!(room.publish_keyed(channel, b"1", Some(key(letter))), offset, "{channel} {letter}");
        assert!(room.broker.usage().idempotency_bytes <= 5000);
    }
    // What was too much is not counted any more: two keys are left, then one, then none.
    room.seconds += 300;
    room.expire();
    assert_eq!(room.broker.usage().idempotency_bytes, 0);
}

#[test]
fn one_sweep_is_bounded_and_what_it_left_is_not_seen() {
    let mut room = Room::new(MemoryLimits::default());
    let count = MemoryBroker::EXPIRE_STEPS_MAX;
    for number in 0..count {
        room.publish(&number.to_string());
    }
    room.seconds += HISTORY.ttl.as_secs();
    room.expire();
    // Each is the first of its stream, and carries the epoch.
    let left = room.broker.usage().history_bytes / (PUBLICATION_BYTES + 8);
    assert_eq!(left, count / 2, "a channel and its publication are two steps");
    // Names are swept in their order, so this one was not.
    assert!(room.history("9999").0.is_empty());
    room.expire();
    assert_eq!(room.broker.usage().history_bytes, 0);
    assert_eq!(room.broker.usage().channels, count);
}

#[test]
fn a_busy_channel_does_not_keep_the_sweep_from_others() {
    let mut room = Room::new(MemoryLimits::default());
    room.publish("busy");
    room.seconds += 2;
    room.publish("quiet");
    room.seconds += 2;
    room.publish("busy");
    room.seconds += HISTORY.ttl.as_secs() - 2;
    room.expire();
    assert_eq!(
        room.broker.usage().history_bytes,
        2 * PUBLICATION_BYTES + 8,
        "only the busy one has a history"
    );
    room.seconds += 2;
    room.expire();
    assert_eq!(room.broker.usage().history_bytes, 0);
}

//! Scenes about brokers, in the order of the promises in [`crate::broker`].

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use super::stage::{ALL, ANN, BOB, CYD, Heard, KEEP, Stage, publish};
use super::{Harness, play};
use crate::broker::{Broker, BrokerAnswer, BrokerRequest, Draft, HistoryOptions, HistoryQuery};
use crate::channel::{Epoch, Position};

const ROOM: &str = "room";
const OTHER: &str = "other";

/// For scenes about time, so short that a harness which has to wait for it can.
const TTL: Duration = Duration::from_secs(2);
const META_TTL: Duration = Duration::from_secs(6);
const BRIEF: HistoryOptions = HistoryOptions { size: 100, ttl: TTL, meta_ttl: META_TTL };

/// The whole history.
const EVERYTHING: HistoryQuery = HistoryQuery { limit: None, since: None, reverse: false };
/// Where the stream stands.
const TOP_ONLY: HistoryQuery = HistoryQuery { limit: Some(0), since: None, reverse: false };

/// Plays all scenes.
pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H, window: Duration) {
    play(harness, offsets_start_at_one_and_have_no_holes);
    play(harness, each_channel_counts_for_itself);
    play(harness, the_first_publication_of_a_stream_carries_its_epoch);
    play(harness, a_channel_without_history_has_no_offsets);
    play(harness, a_publication_arrives_as_it_was_published);
    play(harness, every_listener_hears_every_publication_once_and_in_order);
    play(harness, everything_behind_the_answered_position_is_heard_however_requests_interleave);
    play(harness, a_listener_that_unsubscribed_hears_nothing_more);
    play(harness, joins_and_leaves_are_heard_once_by_every_listener_in_their_order);
    play(harness, what_was_answered_is_in_the_history);
    play(harness, a_history_keeps_the_newest_of_its_size);
    play(harness, reading_the_position_of_a_stream_begins_it);
    play(harness, a_recovery_is_whole_or_refused);
    play(harness, a_history_since_a_position_is_whole_or_refused);
    play(harness, a_history_backwards_begins_before_its_position);
    play(harness, a_removed_history_leaves_its_position);
    play(harness, requests_of_one_listener_take_effect_in_their_order);
    play(harness, nobody_gets_no_answer);
    play(harness, publications_vanish_together_and_offsets_go_on);
    play(harness, a_publication_prolongs_the_life_of_those_before_it);
    play(harness, a_stream_that_nobody_used_begins_a_new_epoch);
    play(harness, every_use_prolongs_the_life_of_a_stream);
    play(harness, a_repeat_is_answered_like_the_first_and_not_published);
    play(harness, a_repeat_is_not_published_in_a_channel_without_history);
    play(harness, a_key_is_of_one_channel);
    play(harness, a_key_is_forgotten_after_its_window(window));
}

fn offsets_start_at_one_and_have_no_holes<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let first = stage.publish(ROOM, KEEP, "1");
    assert_eq!(first.offset, 1);
    for offset in 2..=20 {
        let position = stage.publish(ROOM, KEEP, &offset.to_string());
        assert_eq!(position, Position { offset, epoch: first.epoch.clone() });
    }
}

fn each_channel_counts_for_itself<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let rooms = [stage.publish(ROOM, KEEP, "a"), stage.publish(ROOM, KEEP, "b")];
    let other = stage.publish(OTHER, KEEP, "c");
    assert_eq!(rooms.map(|position| position.offset), [1, 2]);
    assert_eq!(other.offset, 1);
    assert_eq!(stage.history(OTHER, KEEP, EVERYTHING).unwrap().0, numbered(["c"]));
}

fn the_first_publication_of_a_stream_carries_its_epoch<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    let (top, _) = stage.subscribe(BOB, ROOM, KEEP, None, 0);
    stage.publish(ROOM, KEEP, "first");
    stage.publish(ROOM, KEEP, "second");
    let epochs: Vec<_> = stage.heard(BOB, ROOM).into_iter().map(epochs_of).collect();
    let epoch = top.epoch.as_str().to_owned();
    assert_eq!(epochs, [(epoch, Some(top.epoch.clone())), (String::new(), Some(top.epoch))]);
}

fn a_channel_without_history_has_no_offsets<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let since = Some(Position { offset: 0, epoch: Epoch::new("") });
    let answer = stage.ask(BOB, ROOM, BrokerRequest::Subscribe { history: None, since, limit: 10 });
    assert!(matches!(answer, BrokerAnswer::Subscribed { top: None, missed: None }), "{answer:?}");
    for _ in 0..2 {
        let answer = stage.ask(ANN, ROOM, publish(None, "hello", None));
        assert!(matches!(answer, BrokerAnswer::Published(None)), "{answer:?}");
        let heard = stage.heard(BOB, ROOM);
        assert!(
            matches!(&heard[..], [Heard::Publication(publication, None)] if publication.offset == 0 && publication.epoch.is_empty()),
            "{heard:?}"
        );
    }
}

fn a_publication_arrives_as_it_was_published<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let publication = Publication {
        data: Bytes::from_static(b"\x00 not { JSON \xff"),
        info: Some(ClientInfo {
            user: "ann".to_owned(),
            client: "c1".to_owned(),
            conn_info: Bytes::from_static(b"1"),
            chan_info: Bytes::from_static(b"{}"),
        }),
        tags: BTreeMap::from([("kind".to_owned(), "note".to_owned())]),
        ..Publication::default()
    };
    stage.subscribe(BOB, ROOM, KEEP, None, 0);
    stage.publish(ROOM, KEEP, "first");
    stage.heard(BOB, ROOM);
    let draft = Draft { publication: publication.clone(), history: Some(KEEP), idempotency_key: None };
    stage.ask(ANN, ROOM, BrokerRequest::Publish(draft));
    let expected = Publication { offset: 2, ..publication };
    let heard = stage.heard(BOB, ROOM);
    assert!(matches!(&heard[..], [Heard::Publication(heard, _)] if *heard == expected), "{heard:?}");
    let query = HistoryQuery { limit: Some(1), since: None, reverse: true };
    match stage.ask(CYD, ROOM, BrokerRequest::History { history: KEEP, query }) {
        BrokerAnswer::History { publications, .. } => assert_eq!(publications, [expected]),
        other => panic!("{other:?}"),
    }
}

fn every_listener_hears_every_publication_once_and_in_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    for listener in ALL {
        stage.subscribe(listener, ROOM, KEEP, None, 0);
        // Some of its sessions are subscribed already.
        stage.subscribe(listener, ROOM, KEEP, None, 0);
    }
    let words = ["a", "b", "c", "d", "e", "f", "g"];
    let tickets = words.iter().zip(ALL.iter().cycle());
    let tickets: Vec<_> =
        tickets.map(|(word, from)| stage.submit(*from, ROOM, publish(Some(KEEP), word, None))).collect();
    for ticket in tickets {
        stage.answer(ticket);
    }
    let (history, top) = stage.history(ROOM, KEEP, EVERYTHING).unwrap();
    assert_eq!(top.offset, 7);
    for listener in ALL {
        assert_eq!(stage.heard_publications(listener, ROOM), history);
        assert_eq!(stage.heard(listener, OTHER), []);
    }
}

fn everything_behind_the_answered_position_is_heard_however_requests_interleave<
    H: Harness<Subject: Broker>,
>(
    stage: &mut Stage<'_, H>,
) {
    const COUNT: usize = 6;
    for subscribed_before in 0..=COUNT {
        let mut tickets = Vec::new();
        let mut subscription = None;
        for number in 0..=COUNT {
            if number == subscribed_before {
                let since = Some(Position { offset: 0, epoch: Epoch::new("") });
                let request = BrokerRequest::Subscribe { history: Some(KEEP), since, limit: 100 };
                subscription = Some(stage.submit(BOB, ROOM, request));
            }
            let from = ALL[number % ALL.len()];
            tickets.push(stage.submit(from, ROOM, publish(Some(KEEP), &number.to_string(), None)));
        }
        let BrokerAnswer::Subscribed { top: Some(top), missed: Some(missed) } =
            stage.answer(subscription.unwrap())
        else {
            panic!("a recovery from the beginning of a young stream is whole");
        };
        for ticket in tickets {
            stage.answer(ticket);
        }
        let recovered = missed.iter().map(|publication| publication.offset);
        let live = stage.heard_publications(BOB, ROOM).into_iter().map(|(offset, _)| offset);
        let live = live.filter(|offset| *offset > top.offset);
        let all: Vec<_> = recovered.chain(live).collect();
        assert_eq!(
            all,
            (1..=COUNT as u64 + 1).collect::<Vec<_>>(),
            "subscribed before publication {subscribed_before}"
        );
        stage.begin_anew();
    }
}

fn a_listener_that_unsubscribed_hears_nothing_more<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for listener in [BOB, CYD] {
        stage.subscribe(listener, ROOM, KEEP, None, 0);
    }
    let answer = stage.ask(BOB, ROOM, BrokerRequest::Unsubscribe);
    assert!(matches!(answer, BrokerAnswer::Done), "{answer:?}");
    stage.publish(ROOM, KEEP, "one");
    stage.ask(ANN, ROOM, BrokerRequest::Join(client("x")));
    assert_eq!(stage.heard(BOB, ROOM), []);
    assert_eq!(stage.heard_publications(CYD, ROOM), numbered(["one"]));
    let (top, _) = stage.subscribe(BOB, ROOM, KEEP, None, 0);
    assert_eq!(top.offset, 1);
    stage.publish(ROOM, KEEP, "two");
    assert_eq!(stage.heard_publications(BOB, ROOM), [(2, "two".to_owned())]);
}

fn joins_and_leaves_are_heard_once_by_every_listener_in_their_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    for listener in [ANN, BOB] {
        stage.ask(listener, ROOM, BrokerRequest::Subscribe { history: None, since: None, limit: 0 });
    }
    for request in [
        BrokerRequest::Join(client("x")),
        BrokerRequest::Leave(client("x")),
        BrokerRequest::Join(client("y")),
        BrokerRequest::Join(client("x")),
    ] {
        stage.tell(ANN, ROOM, request);
    }
    let answer = stage.ask(ANN, ROOM, BrokerRequest::Leave(client("y")));
    assert!(matches!(answer, BrokerAnswer::Done), "{answer:?}");
    for listener in [ANN, BOB] {
        let (x, y) = (client("x"), client("y"));
        let expected = [
            Heard::Join(x.clone()),
            Heard::Leave(x.clone()),
            Heard::Join(y.clone()),
            Heard::Join(x),
            Heard::Leave(y),
        ];
        assert_eq!(stage.heard(listener, ROOM), expected);
    }
    assert_eq!(stage.heard(CYD, ROOM), []);
}

fn what_was_answered_is_in_the_history<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let mut expected = Vec::new();
    for word in ["a", "b", "c"] {
        let position = stage.publish(ROOM, KEEP, word);
        expected.push((position.offset, word.to_owned()));
        assert_eq!(stage.history(ROOM, KEEP, EVERYTHING), Some((expected.clone(), position)));
    }
}

fn a_history_keeps_the_newest_of_its_size<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let two = HistoryOptions { size: 2, ..KEEP };
    for (word, history, kept) in [
        ("a", two, vec![1]),
        ("b", two, vec![1, 2]),
        ("c", two, vec![2, 3]),
        ("d", KEEP, vec![2, 3, 4]),
        ("e", KEEP, vec![2, 3, 4, 5]),
        ("f", two, vec![5, 6]),
    ] {
        stage.publish(ROOM, history, word);
        let (publications, _) = stage.history(ROOM, history, EVERYTHING).unwrap();
        assert_eq!(
            publications.into_iter().map(|(offset, _)| offset).collect::<Vec<_>>(),
            kept,
            "after {word}"
        );
    }
}

fn reading_the_position_of_a_stream_begins_it<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (publications, read) = stage.history(ROOM, KEEP, TOP_ONLY).unwrap();
    assert_eq!((publications, read.offset), (vec![], 0));
    assert!(!read.epoch.as_str().is_empty());
    let (subscribed, missed) = stage.subscribe(BOB, ROOM, KEEP, Some(read.clone()), 0);
    assert_eq!((&subscribed, missed), (&read, Some(vec![])));
    assert_eq!(stage.publish(ROOM, KEEP, "first").epoch, read.epoch);
    let (other, missed) = stage.subscribe(BOB, OTHER, KEEP, None, 10);
    assert_eq!((other.offset, missed), (0, None));
    assert_eq!(stage.history(OTHER, KEEP, TOP_ONLY).unwrap().1, other);
}

/// A stream at offset 8 that has kept the last 5.
fn five_of_eight<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) -> (HistoryOptions, Epoch) {
    let history = HistoryOptions { size: 5, ..KEEP };
    let positions = (1..=8).map(|number| stage.publish(ROOM, history, &number.to_string()));
    let last = positions.last().unwrap();
    assert_eq!(last.offset, 8);
    (history, last.epoch)
}

/// Positions in and around that stream, with whether they are positions of it.
fn positions(epoch: &Epoch) -> impl Iterator<Item = (Position, bool)> {
    let epochs = [(epoch.clone(), true), (Epoch::new(""), true), (Epoch::new("another"), false)];
    let offsets = (0..=10).chain([u64::MAX]);
    offsets.flat_map(move |offset| {
        epochs.clone().map(|(epoch, known)| (Position { offset, epoch }, known && offset <= 8))
    })
}

fn a_recovery_is_whole_or_refused<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (history, epoch) = five_of_eight(stage);
    for (since, is_of_stream) in positions(&epoch) {
        for limit in [0, 1, 4, 5, 6, 100] {
            let (top, missed) = stage.subscribe(BOB, ROOM, history, Some(since.clone()), limit);
            assert_eq!(top, Position { offset: 8, epoch: epoch.clone() });
            let whole: Vec<_> =
                (since.offset.saturating_add(1)..=8).map(|offset| (offset, offset.to_string())).collect();
            let is_kept = is_of_stream && since.offset >= 3 && whole.len() <= limit;
            assert_eq!(missed, is_kept.then_some(whole), "since {since:?}, at most {limit}");
        }
    }
}

fn a_history_since_a_position_is_whole_or_refused<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (history, epoch) = five_of_eight(stage);
    for (since, is_of_stream) in positions(&epoch) {
        for limit in [Some(0), Some(1), Some(2), Some(5), Some(6), None] {
            let query = HistoryQuery { limit, since: Some(since.clone()), reverse: false };
            let found = stage.history(ROOM, history, query);
            let behind = (since.offset.saturating_add(1)..=8).take(limit.unwrap_or(100));
            let whole: Vec<_> = behind.map(|offset| (offset, offset.to_string())).collect();
            let expected = (is_of_stream && since.offset >= 3).then_some(whole);
            assert_eq!(
                found.map(|(publications, _)| publications),
                expected,
                "since {since:?}, at most {limit:?}"
            );
        }
    }
    for (limit, expected) in [(Some(2), 4..=5), (None, 4..=8), (Some(100), 4..=8)] {
        let (found, top) = stage.history(ROOM, history, HistoryQuery { limit, ..EVERYTHING }).unwrap();
        assert_eq!(found, expected.map(|offset| (offset, offset.to_string())).collect::<Vec<_>>());
        assert_eq!(top, Position { offset: 8, epoch: epoch.clone() });
    }
}

fn a_history_backwards_begins_before_its_position<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (history, epoch) = five_of_eight(stage);
    for (since, is_of_stream) in positions(&epoch) {
        for limit in [Some(0), Some(1), Some(2), Some(5), None] {
            let query = HistoryQuery { limit, since: Some(since.clone()), reverse: true };
            let found = stage.history(ROOM, history, query);
            let before = (4..since.offset.min(9)).rev().take(limit.unwrap_or(100));
            let whole: Vec<_> = before.map(|offset| (offset, offset.to_string())).collect();
            let expected = is_of_stream.then_some(whole);
            assert_eq!(
                found.map(|(publications, _)| publications),
                expected,
                "since {since:?}, at most {limit:?}"
            );
        }
    }
    let newest = HistoryQuery { limit: Some(2), since: None, reverse: true };
    let (found, top) = stage.history(ROOM, history, newest).unwrap();
    assert_eq!(found, [(8, "8".to_owned()), (7, "7".to_owned())]);
    assert_eq!(top, Position { offset: 8, epoch });
}

fn a_removed_history_leaves_its_position<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    stage.publish(ROOM, KEEP, "a");
    let top = stage.publish(ROOM, KEEP, "b");
    let answer = stage.ask(BOB, ROOM, BrokerRequest::RemoveHistory);
    assert!(matches!(answer, BrokerAnswer::Done), "{answer:?}");
    assert_eq!(stage.history(ROOM, KEEP, EVERYTHING), Some((vec![], top.clone())));
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, Some(top.clone()), 10).1, Some(vec![]));
    let earlier = Position { offset: 1, ..top.clone() };
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, Some(earlier.clone()), 10).1, None);
    assert_eq!(stage.publish(ROOM, KEEP, "c"), Position { offset: 3, ..top.clone() });
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, Some(top), 10).1, Some(vec![(3, "c".to_owned())]));
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, Some(earlier), 10).1, None);
    let answer = stage.ask(BOB, OTHER, BrokerRequest::RemoveHistory);
    assert!(matches!(answer, BrokerAnswer::Done), "of a channel that has none: {answer:?}");
}

fn requests_of_one_listener_take_effect_in_their_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    let subscribe = || BrokerRequest::Subscribe { history: Some(KEEP), since: None, limit: 0 };
    let requests = [
        publish(Some(KEEP), "a", None),
        subscribe(),
        publish(Some(KEEP), "b", None),
        BrokerRequest::Unsubscribe,
        BrokerRequest::RemoveHistory,
        publish(Some(KEEP), "c", None),
        subscribe(),
        publish(Some(KEEP), "d", None),
        BrokerRequest::History { history: KEEP, query: EVERYTHING },
    ];
    let tickets = requests.map(|request| stage.submit(BOB, ROOM, request));
    let answers = tickets.map(|ticket| stage.answer(ticket));
    let offsets: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            BrokerAnswer::Published(position) => position.as_ref().map(|position| position.offset),
            BrokerAnswer::Subscribed { top, .. } => top.as_ref().map(|top| top.offset),
            _ => None,
        })
        .collect();
    assert_eq!(offsets, [1, 1, 2, 3, 3, 4]);
    let BrokerAnswer::History { publications, top } = &answers[8] else { panic!("{answers:?}") };
    assert_eq!(super::stage::briefs(publications), [(3, "c".to_owned()), (4, "d".to_owned())]);
    assert_eq!(top.offset, 4);
    let heard: Vec<_> = stage.heard_publications(BOB, ROOM).into_iter().map(|(offset, _)| offset).collect();
    assert!(heard.is_sorted() && heard.contains(&2) && heard.contains(&4), "{heard:?}");
}

fn nobody_gets_no_answer<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    // The stage fails if it sees an answer that no ticket asked for.
    stage.tell(BOB, ROOM, BrokerRequest::Subscribe { history: Some(KEEP), since: None, limit: 0 });
    stage.tell(BOB, ROOM, publish(Some(KEEP), "a", None));
    stage.tell(BOB, ROOM, BrokerRequest::RemoveHistory);
    stage.tell(BOB, ROOM, BrokerRequest::Join(client("x")));
    assert_eq!(stage.heard(BOB, ROOM).len(), 2);
    stage.tell(BOB, ROOM, BrokerRequest::Unsubscribe);
    stage.tell(BOB, ROOM, publish(Some(KEEP), "b", None));
    assert_eq!(stage.heard(BOB, ROOM), []);
    assert_eq!(stage.history(ROOM, KEEP, EVERYTHING).unwrap().0, [(2, "b".to_owned())]);
}

fn publications_vanish_together_and_offsets_go_on<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for is_swept in [false, true] {
        stage.publish(ROOM, BRIEF, "a");
        let top = stage.publish(ROOM, BRIEF, "b");
        stage.pass(TTL + TTL / 2);
        if is_swept {
            stage.expire();
        }
        assert_eq!(stage.history(ROOM, BRIEF, EVERYTHING), Some((vec![], top.clone())));
        let beginning = Position { offset: 0, ..top.clone() };
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, Some(beginning), 10).1, None);
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, Some(top.clone()), 10).1, Some(vec![]));
        assert_eq!(stage.publish(ROOM, BRIEF, "c"), Position { offset: 3, ..top });
        assert_eq!(stage.history(ROOM, BRIEF, EVERYTHING).unwrap().0, [(3, "c".to_owned())]);
        stage.begin_anew();
    }
}

fn a_publication_prolongs_the_life_of_those_before_it<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for is_swept in [false, true] {
        for word in ["a", "b", "c", "d"] {
            stage.publish(ROOM, BRIEF, word);
            stage.pass(TTL / 2);
            if is_swept {
                stage.expire();
            }
        }
        assert_eq!(stage.history(ROOM, BRIEF, EVERYTHING).unwrap().0, numbered(["a", "b", "c", "d"]));
        stage.begin_anew();
    }
}

fn a_stream_that_nobody_used_begins_a_new_epoch<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for is_swept in [false, true] {
        let former = stage.publish(ROOM, BRIEF, "a");
        stage.pass(META_TTL + META_TTL / 2);
        if is_swept {
            stage.expire();
        }
        let (top, missed) = stage.subscribe(BOB, ROOM, BRIEF, Some(former.clone()), 10);
        assert_eq!((top.offset, missed), (0, None));
        assert_ne!(top.epoch, former.epoch);
        assert_eq!(stage.publish(ROOM, BRIEF, "b"), Position { offset: 1, ..top });
        // The same offset of another life is another place.
        let query = HistoryQuery { since: Some(former), ..EVERYTHING };
        assert_eq!(stage.history(ROOM, BRIEF, query), None);
        stage.begin_anew();
    }
}

fn every_use_prolongs_the_life_of_a_stream<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for is_swept in [false, true] {
        let epoch = stage.publish(ROOM, BRIEF, "a").epoch;
        let step = META_TTL * 2 / 3;
        let rest = |stage: &mut Stage<'_, H>| {
            stage.pass(step);
            if is_swept {
                stage.expire();
            }
        };
        rest(stage);
        assert_eq!(stage.history(ROOM, BRIEF, TOP_ONLY).unwrap().1.epoch, epoch);
        rest(stage);
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, None, 0).0.epoch, epoch);
        stage.ask(BOB, ROOM, BrokerRequest::Unsubscribe);
        rest(stage);
        assert_eq!(stage.publish(ROOM, BRIEF, "b"), Position { offset: 2, epoch: epoch.clone() });
        rest(stage);
        assert_eq!(stage.history(ROOM, BRIEF, TOP_ONLY).unwrap().1, Position { offset: 2, epoch });
        stage.begin_anew();
    }
}

fn a_repeat_is_answered_like_the_first_and_not_published<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    stage.subscribe(BOB, ROOM, KEEP, None, 0);
    let first = position_of(stage.ask(ANN, ROOM, publish(Some(KEEP), "a", Some("key"))));
    let other = position_of(stage.ask(ANN, ROOM, publish(Some(KEEP), "b", Some("yet"))));
    // Whoever asks, and whatever it says.
    let repeat = position_of(stage.ask(CYD, ROOM, publish(Some(KEEP), "a again", Some("key"))));
    assert_eq!(repeat, first);
    assert_eq!(other.map(|position| position.offset), Some(2));
    assert_eq!(stage.heard_publications(BOB, ROOM), numbered(["a", "b"]));
    assert_eq!(stage.history(ROOM, KEEP, EVERYTHING).unwrap().0, numbered(["a", "b"]));
    // Submitted together, and the answers not awaited.
    let tickets = ALL.map(|from| stage.submit(from, ROOM, publish(Some(KEEP), "c", Some("new"))));
    let positions = tickets.map(|ticket| position_of(stage.answer(ticket)));
    assert!(positions.iter().all(|position| *position == positions[0]), "{positions:?}");
    assert_eq!(stage.heard_publications(BOB, ROOM), [(3, "c".to_owned())]);
}

fn a_repeat_is_not_published_in_a_channel_without_history<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    stage.ask(BOB, ROOM, BrokerRequest::Subscribe { history: None, since: None, limit: 0 });
    for _ in 0..2 {
        assert_eq!(position_of(stage.ask(ANN, ROOM, publish(None, "a", Some("key")))), None);
    }
    assert_eq!(stage.heard_publications(BOB, ROOM), [(0, "a".to_owned())]);
}

fn a_key_is_of_one_channel<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for channel in [ROOM, OTHER] {
        let position = position_of(stage.ask(ANN, channel, publish(Some(KEEP), channel, Some("key"))));
        assert_eq!(position.map(|position| position.offset), Some(1));
        assert_eq!(stage.history(channel, KEEP, EVERYTHING).unwrap().0, numbered([channel]));
    }
}

fn a_key_is_forgotten_after_its_window<H: Harness<Subject: Broker>>(
    window: Duration,
) -> impl FnOnce(&mut Stage<'_, H>) {
    move |stage| {
        for is_swept in [false, true] {
            let publish_after = |stage: &mut Stage<'_, H>, time| {
                stage.pass(time);
                if is_swept {
                    stage.expire();
                }
                stage.ask(ANN, ROOM, publish(None, "a", Some("key")));
                stage.heard(BOB, ROOM).len()
            };
            stage.ask(BOB, ROOM, BrokerRequest::Subscribe { history: None, since: None, limit: 0 });
            assert_eq!(publish_after(stage, Duration::ZERO), 1);
            // A repeat does not prolong the window.
            assert_eq!(publish_after(stage, window / 2), 0);
            assert_eq!(publish_after(stage, window * 2 / 3), 1);
            stage.begin_anew();
        }
    }
}

fn client(name: &str) -> ClientInfo {
    ClientInfo { user: "u".to_owned(), client: name.to_owned(), ..ClientInfo::default() }
}

/// The publications of a stream from its beginning.
fn numbered<const N: usize>(words: [&str; N]) -> Vec<(u64, String)> {
    (1..).zip(words).map(|(offset, word)| (offset, word.to_owned())).collect()
}

fn position_of(answer: BrokerAnswer) -> Option<Position> {
    match answer {
        BrokerAnswer::Published(position) => position,
        other => panic!("a publish is answered by a position: {other:?}"),
    }
}

/// The epoch inside a publication, and the one beside it.
fn epochs_of(heard: Heard) -> (String, Option<Epoch>) {
    match heard {
        Heard::Publication(publication, epoch) => (publication.epoch, epoch),
        other => panic!("a publication was expected: {other:?}"),
    }
}

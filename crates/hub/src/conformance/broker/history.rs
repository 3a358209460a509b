//! Promises 4 and 5: what was answered is kept, and told whole or not at all.

use super::{EVERYTHING, OTHER, ROOM};
use crate::broker::{Broker, BrokerAnswer, BrokerRequest, HistoryOptions, HistoryQuery, Recall};
use crate::channel::{Epoch, Position};
use crate::conformance::stage::{ANN, BOB, KEEP, Stage, behind};
use crate::conformance::{Harness, play};

pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H) {
    play(harness, what_was_answered_is_in_the_history);
    play(harness, a_history_keeps_the_newest_of_its_size);
    play(harness, the_latest_is_the_top_of_what_is_kept_or_nothing);
    play(harness, a_recovery_is_whole_or_refused);
    play(harness, a_history_since_a_position_is_whole_or_refused);
    play(harness, a_history_backwards_begins_before_its_position);
    play(harness, a_removed_history_leaves_its_position);
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

fn a_recovery_is_whole_or_refused<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (history, epoch) = five_of_eight(stage);
    for (since, is_of_stream) in positions(&epoch) {
        for limit in [0, 1, 4, 5, 6, 100] {
            let (top, missed) = stage.subscribe(BOB, ROOM, history, behind(since.clone(), limit));
            assert_eq!(top, Position { offset: 8, epoch: epoch.clone() });
            let whole: Vec<_> =
                (since.offset.saturating_add(1)..=8).map(|offset| (offset, offset.to_string())).collect();
            let is_kept = is_of_stream && since.offset >= 3 && whole.len() <= limit;
            assert_eq!(missed, is_kept.then_some(whole), "since {since:?}, at most {limit}");
        }
    }
}

fn the_latest_is_the_top_of_what_is_kept_or_nothing<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let latest = |stage: &mut Stage<'_, H>| {
        stage.subscribe(BOB, ROOM, KEEP, Recall::Latest { filter: None, limit: 1 })
    };
    assert_eq!(latest(stage).1, None);
    for word in ["a", "b"] {
        let position = stage.publish(ROOM, KEEP, word);
        assert_eq!(latest(stage), (position.clone(), Some(vec![(position.offset, word.to_owned())])));
    }
    stage.ask(ANN, ROOM, BrokerRequest::RemoveHistory);
    let (top, recalled) = latest(stage);
    assert_eq!((top.offset, recalled), (2, None));
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
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, behind(top.clone(), 10)).1, Some(vec![]));
    let earlier = Position { offset: 1, ..top.clone() };
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, behind(earlier.clone(), 10)).1, None);
    assert_eq!(stage.publish(ROOM, KEEP, "c"), Position { offset: 3, ..top.clone() });
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, behind(top, 10)).1, Some(vec![(3, "c".to_owned())]));
    assert_eq!(stage.subscribe(BOB, ROOM, KEEP, behind(earlier, 10)).1, None);
    let answer = stage.ask(BOB, OTHER, BrokerRequest::RemoveHistory);
    assert!(matches!(answer, BrokerAnswer::Done), "of a channel that has none: {answer:?}");
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

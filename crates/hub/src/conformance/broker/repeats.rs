//! Publishing with an idempotency key.

use std::time::Duration;

use super::{EVERYTHING, OTHER, ROOM, numbered};
use crate::broker::{Broker, BrokerAnswer, BrokerRequest, Recall};
use crate::channel::Position;
use crate::conformance::stage::{ALL, ANN, BOB, CYD, KEEP, Stage, publish};
use crate::conformance::{Harness, play};

pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H, window: Duration) {
    play(harness, a_repeat_is_answered_like_the_first_and_not_published);
    play(harness, a_repeat_is_not_published_in_a_channel_without_history);
    play(harness, a_key_is_of_one_channel);
    play(harness, a_key_is_forgotten_after_its_window(window));
}

fn a_repeat_is_answered_like_the_first_and_not_published<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    stage.subscribe(BOB, ROOM, KEEP, Recall::Nothing);
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
    stage.ask(
        BOB,
        ROOM,
        BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max: None },
    );
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
            stage.ask(
                BOB,
                ROOM,
                BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max: None },
            );
            assert_eq!(publish_after(stage, Duration::ZERO), 1);
            // A repeat does not prolong the window.
            assert_eq!(publish_after(stage, window / 2), 0);
            assert_eq!(publish_after(stage, window * 2 / 3), 1);
            stage.begin_anew();
        }
    }
}

fn position_of(answer: BrokerAnswer) -> Option<Position> {
    match answer {
        BrokerAnswer::Published(position) => position,
        other => panic!("a publish is answered by a position: {other:?}"),
    }
}

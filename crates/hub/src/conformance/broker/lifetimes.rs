//! How long publications and streams are kept: ttl and meta ttl, with and without a sweep in between.

use std::time::Duration;

use super::{EVERYTHING, ROOM, TOP_ONLY, numbered};
use crate::broker::{Broker, BrokerRequest, HistoryOptions, HistoryQuery, Recall};
use crate::channel::Position;
use crate::conformance::stage::{BOB, Stage, behind};
use crate::conformance::{Harness, play};

/// So short that a harness which has to wait for it can.
const TTL: Duration = Duration::from_secs(2);
const META_TTL: Duration = Duration::from_secs(6);
const BRIEF: HistoryOptions = HistoryOptions { size: 100, ttl: TTL, meta_ttl: META_TTL };

pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H) {
    play(harness, publications_vanish_together_and_offsets_go_on);
    play(harness, a_publication_prolongs_the_life_of_those_before_it);
    play(harness, a_stream_that_nobody_used_begins_a_new_epoch);
    play(harness, every_use_prolongs_the_life_of_a_stream);
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
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, behind(beginning, 10)).1, None);
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, behind(top.clone(), 10)).1, Some(vec![]));
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
        let (top, missed) = stage.subscribe(BOB, ROOM, BRIEF, behind(former.clone(), 10));
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
        assert_eq!(stage.subscribe(BOB, ROOM, BRIEF, Recall::Nothing).0.epoch, epoch);
        stage.ask(BOB, ROOM, BrokerRequest::Unsubscribe);
        rest(stage);
        assert_eq!(stage.publish(ROOM, BRIEF, "b"), Position { offset: 2, epoch: epoch.clone() });
        rest(stage);
        assert_eq!(stage.history(ROOM, BRIEF, TOP_ONLY).unwrap().1, Position { offset: 2, epoch });
        stage.begin_anew();
    }
}

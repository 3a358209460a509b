//! Promise 1: offsets start at 1 and have no holes within an epoch.

use super::{EVERYTHING, OTHER, ROOM, TOP_ONLY, numbered};
use crate::broker::{Broker, BrokerAnswer, BrokerRequest, Recall};
use crate::channel::{Epoch, Position};
use crate::conformance::stage::{ANN, BOB, Heard, KEEP, Stage, behind, publish};
use crate::conformance::{Harness, play};

pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H) {
    play(harness, offsets_start_at_one_and_have_no_holes);
    play(harness, each_channel_counts_for_itself);
    play(harness, the_first_publication_of_a_stream_carries_its_epoch);
    play(harness, a_channel_without_history_has_no_offsets);
    play(harness, reading_the_position_of_a_stream_begins_it);
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
    let (top, _) = stage.subscribe(BOB, ROOM, KEEP, Recall::Nothing);
    stage.publish(ROOM, KEEP, "first");
    stage.publish(ROOM, KEEP, "second");
    let epochs: Vec<_> = stage.heard(BOB, ROOM).into_iter().map(epochs_of).collect();
    let epoch = top.epoch.as_str().to_owned();
    assert_eq!(epochs, [(epoch, Some(top.epoch.clone())), (String::new(), Some(top.epoch))]);
}

fn a_channel_without_history_has_no_offsets<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let position = Position { offset: 0, epoch: Epoch::new("") };
    for recall in [Recall::Since { position, limit: 10 }, Recall::Latest { filter: None, limit: 1 }] {
        let answer =
            stage.ask(BOB, ROOM, BrokerRequest::Subscribe { history: None, recall, subscribers_max: None });
        assert!(matches!(answer, BrokerAnswer::Subscribed { top: None, recalled: None }), "{answer:?}");
    }
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

fn reading_the_position_of_a_stream_begins_it<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let (publications, read) = stage.history(ROOM, KEEP, TOP_ONLY).unwrap();
    assert_eq!((publications, read.offset), (vec![], 0));
    assert!(!read.epoch.as_str().is_empty());
    let (subscribed, missed) = stage.subscribe(BOB, ROOM, KEEP, behind(read.clone(), 0));
    assert_eq!((&subscribed, missed), (&read, Some(vec![])));
    assert_eq!(stage.publish(ROOM, KEEP, "first").epoch, read.epoch);
    let (other, missed) = stage.subscribe(BOB, OTHER, KEEP, Recall::Nothing);
    assert_eq!((other.offset, missed), (0, None));
    assert_eq!(stage.history(OTHER, KEEP, TOP_ONLY).unwrap().1, other);
}

/// The epoch inside a publication, and the one beside it.
fn epochs_of(heard: Heard) -> (String, Option<Epoch>) {
    match heard {
        Heard::Publication(publication, epoch) => (publication.epoch, epoch),
        other => panic!("a publication was expected: {other:?}"),
    }
}

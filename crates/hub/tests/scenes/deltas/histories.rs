//! Random histories of a channel and of clients that take deltas: whatever is skipped, lost, recovered or forgotten, each
//! payload comes out as it was published.

use proptest::collection::vec;
use proptest::prelude::*;
use spanwire_wire::Encoding;

use super::taker::Taker;
use crate::support::{HISTORY, World};

const CHANNEL: &str = "delta:x";

/// What may happen.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many publications, together in a turn.
    Publish(usize),
    /// One past the history.
    PublishPast,
    /// One that the hub does not hear of.
    PublishUnheard,
    RemoveHistory,
    /// A client subscribes, or comes back to recover, or leaves.
    Subscribe(usize),
    Recover(usize),
    Unsubscribe(usize),
    /// A client subscribes while something is published.
    SubscribeAmid(usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..4_usize).prop_map(Step::Publish),
        2 => Just(Step::PublishPast),
        1 => Just(Step::PublishUnheard),
        1 => Just(Step::RemoveHistory),
        2 => (0..3_usize).prop_map(Step::Subscribe),
        3 => (0..3_usize).prop_map(Step::Recover),
        2 => (0..3_usize).prop_map(Step::Unsubscribe),
        2 => (0..3_usize, 1..4_usize).prop_map(|(who, how_many)| Step::SubscribeAmid(who, how_many)),
    ]
}

/// Texts of which neighbours share much, a few bytes of characters among it.
fn payload(number: usize) -> String {
    let character = ['😀', '😁', 'ш', 'щ', '玻', '璃'][number % 6];
    let tail = "tail ".repeat(number % 4);
    format!(
        r#"{{"text":"a text that stays as it is {character} and goes on","number":{number},"tail":"{tail}"}}"#
    )
}

struct Stage {
    world: World,
    takers: Vec<Taker>,
    /// Payloads by offset, from 1.
    stream: Vec<String>,
    /// Payloads past the history.
    past: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        let encodings = [Encoding::Json, Encoding::Protobuf, Encoding::Json];
        let takers = encodings.map(|encoding| Taker::new(&mut world, CHANNEL, encoding)).into();
        Self { world, takers, stream: Vec::new(), past: Vec::new() }
    }

    fn publish(&mut self) {
        self.stream.push(payload(self.stream.len() + self.past.len()));
        self.world.publish_with(CHANNEL, self.stream[self.stream.len() - 1].clone(), Some(HISTORY));
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Publish(how_many) => self.in_one_turn(|stage| (0..how_many).for_each(|_| stage.publish())),
            Step::PublishPast => {
                let payload = payload(self.stream.len() + self.past.len());
                self.past.push(payload.clone());
                self.world.publish_with(CHANNEL, payload, None);
            }
            Step::PublishUnheard => {
                self.world.deaf = true;
                self.publish();
                self.world.deaf = false;
            }
            Step::RemoveHistory => self.world.remove_history(CHANNEL),
            Step::Subscribe(who) => self.subscribe(who, false),
            Step::Recover(who) => self.subscribe(who, true),
            Step::Unsubscribe(who) if self.takers[who].subscribed => {
                self.takers[who].unsubscribe(&mut self.world);
            }
            Step::Unsubscribe(_) => {}
            Step::SubscribeAmid(who, how_many) => self.in_one_turn(|stage| {
                stage.publish();
                stage.subscribe(who, how_many.is_multiple_of(2));
                (0..how_many).for_each(|_| stage.publish());
            }),
        }
        for taker in &mut self.takers {
            taker.listen(&mut self.world);
        }
    }

    fn in_one_turn(&mut self, what: impl FnOnce(&mut Self)) {
        self.world.begin_turn();
        what(self);
        self.world.end_turn();
    }

    fn subscribe(&mut self, who: usize, recover: bool) {
        if !self.takers[who].subscribed {
            self.takers[who].subscribe(&mut self.world, recover);
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_every_payload_comes_out_as_it_was_published(steps in vec(any_step(), 1..60)) {
        let mut stage = Stage::new();
        for step in steps {
            stage.play(step);
        }
        // Who missed something is told so by the next publication, and comes back.
        let everybody = (0..stage.takers.len()).map(Step::Subscribe);
        let ending = [Step::PublishPast, Step::Publish(2)];
        [Step::Publish(1)].into_iter().chain(everybody).chain(ending).for_each(|step| stage.play(step));
        for taker in &stage.takers {
            prop_assert_eq!((taker.subscribed, taker.offset), (true, stage.stream.len() as u64));
            prop_assert!(taker.told.ends_with("WWp"), "{}", taker.told);
            let mut past = stage.past.iter();
            for (offset, payload) in &taker.heard {
                match offset.checked_sub(1) {
                    Some(index) => prop_assert_eq!(payload, &stage.stream[index as usize]),
                    None => prop_assert!(past.any(|one| one == payload), "{}", payload),
                }
            }
            let last = taker.heard.iter().rfind(|(offset, _)| *offset == 0).map(|(_, payload)| payload);
            prop_assert_eq!(last, stage.past.last(), "the last past the history was heard too");
        }
        stage.world.end();
    }
}

#[test]
fn random_histories_have_patches_and_whole_payloads_in_them() {
    let mut stage = Stage::new();
    let steps =
        [Step::Subscribe(0), Step::Publish(3), Step::PublishPast, Step::Publish(2), Step::Unsubscribe(0)];
    steps.into_iter().chain([Step::Publish(2), Step::Recover(0)]).for_each(|step| stage.play(step));
    assert_eq!(stage.takers[0].told, "WppWWpWW");
    stage.world.end();
}

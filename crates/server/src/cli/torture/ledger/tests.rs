//! Scenes: what a server says, and what the ledger makes of it.

use bytes::Bytes;
use spanwire_client_core::Key;

use super::*;

/// One client in one channel, subscribed at the beginning of the epoch "a".
struct Scene(Ledger);

impl Scene {
    fn new() -> Self {
        let mut ledger = Ledger::new(2, vec!["news".to_owned()]);
        ledger.subscribes(0, 0);
        let mut scene = Self(ledger);
        scene.subscribed(at(0));
        scene
    }

    fn subscribed(&mut self, position: Option<Position>) {
        self.tell(Event::Subscribed {
            channel: "news".to_owned(),
            recovered: false,
            was_recovering: false,
            position,
            data: Bytes::new(),
        });
    }

    fn tell(&mut self, event: Event) {
        self.0.told(Duration::ZERO, 0, &event);
    }

    fn publish(&mut self) -> Number {
        self.0.publishes(Duration::ZERO, None, 0)
    }

    fn hear(&mut self, offset: u64, number: Number) {
        let publication = publication(offset, number);
        self.tell(Event::Publication {
            channel: "news".to_owned(),
            publication: publication.into(),
            recovered: false,
        });
    }

    fn ack(&mut self, number: Number, offset: u64) {
        self.tell(Event::PublishAcked { key: Key(number), position: at(offset) });
    }

    fn sin(&self) -> Option<Sin> {
        self.0.violation().map(|violation| violation.sin)
    }
}

fn at(offset: u64) -> Option<Position> {
    Some(Position { offset, epoch: "a".to_owned() })
}

fn publication(offset: u64, number: Number) -> Publication {
    Publication { data: payload(number, 0).into(), offset, ..Publication::default() }
}

#[test]
fn a_promise_that_is_kept_leaves_no_violation() {
    let mut scene = Scene::new();
    for offset in 1..=3 {
        let number = scene.publish();
        scene.ack(number, offset);
        scene.hear(offset, number);
    }
    assert_eq!(scene.0.behind(&[2]), 0);
    scene.0.close(&[2]);
    assert!(scene.0.violation().is_none() && scene.0.tally().is_clean());
    assert_eq!((scene.0.tally().acknowledged, scene.0.tally().delivered), (3, 3));
}

#[test]
fn the_wrong_number_at_a_place_is_seen() {
    let mut scene = Scene::new();
    let (first, second) = (scene.publish(), scene.publish());
    scene.ack(first, 1);
    scene.hear(1, second);
    assert_eq!((scene.sin(), scene.0.tally().contradictions), (Some(Sin::Contradiction), 1));
}

#[test]
fn what_is_published_at_two_places_is_a_duplicate() {
    let mut scene = Scene::new();
    let number = scene.publish();
    scene.hear(1, number);
    scene.hear(2, number);
    assert_eq!((scene.sin(), scene.0.tally().duplicates), (Some(Sin::Duplicate), 1));
}

#[test]
fn what_a_client_keeps_to_itself_is_seen_all_the_same() {
    let mut scene = Scene::new();
    let number = scene.publish();
    scene.0.arrived(0, "news", &publication(1, number));
    scene.hear(1, number);
    assert_eq!(scene.sin(), None);
    scene.0.arrived(0, "news", &publication(1, number));
    assert_eq!((scene.sin(), scene.0.tally().duplicates), (Some(Sin::Duplicate), 1));
}

#[test]
fn an_acknowledged_publication_that_nobody_hears_is_lost() {
    let mut scene = Scene::new();
    let (lost, last) = (scene.publish(), scene.publish());
    scene.tell(Event::PublishAcked { key: Key(lost), position: None });
    scene.hear(1, last);
    scene.0.close(&[last]);
    assert_eq!((scene.sin(), scene.0.tally().lost), (Some(Sin::Lost), 1));
}

#[test]
fn silence_at_the_end_is_a_loss_and_names_who_suffers_it() {
    let mut scene = Scene::new();
    let last = scene.publish();
    scene.ack(last, 1);
    assert_eq!(scene.0.behind(&[last]), 1);
    scene.0.close(&[last]);
    let violation = scene.0.violation().unwrap();
    assert_eq!((violation.sin, violation.who), (Sin::Lost, Some(0)));
}

#[test]
fn who_is_told_that_the_last_word_is_missing_has_come_to_it() {
    let mut scene = Scene::new();
    let last = scene.publish();
    let channel = "news".to_owned();
    scene.tell(Event::Gap { channel, from: at(0).unwrap(), to: at(3).unwrap() });
    assert_eq!(scene.0.behind(&[last]), 1, "nobody knows where it is");
    scene.ack(last, 3);
    assert_eq!(scene.0.behind(&[last]), 0);
}

#[test]
fn a_publication_that_came_late_is_not_lost_any_more() {
    let mut scene = Scene::new();
    let (first, second) = (scene.publish(), scene.publish());
    scene.hear(2, second);
    assert_eq!(scene.0.tally().lost, 1);
    scene.hear(1, first);
    assert_eq!((scene.0.tally().lost, scene.0.tally().out_of_order), (0, 1));
}

#[test]
fn what_the_server_does_not_allow_is_no_broken_promise() {
    let refused = Event::Unsubscribed {
        channel: "news".to_owned(),
        code: 103,
        reason: "permission denied".to_owned(),
        will_retry_at: None,
    };
    let mut scene = Scene::new();
    scene.tell(refused);
    let expected = Refusal::Subscribe("news".to_owned(), 103, "permission denied".to_owned());
    assert_eq!((scene.0.refusal(), scene.sin()), (Some(&expected), None));
    let mut scene = Scene::new();
    scene.subscribed(None);
    assert_eq!(scene.0.refusal(), Some(&Refusal::NoPositions("news".to_owned())));
}

#[test]
fn only_the_servers_delay_is_a_latency() {
    let connected = Event::Connected { client: "c".to_owned(), data: Bytes::new(), idempotent: true };
    let lost = Event::Disconnected { code: 1006, reason: String::new(), will_retry_at: None };
    let at = Duration::from_secs;
    let mut scene = Scene::new();
    let hear = |scene: &mut Scene, now, offset, number| {
        let publication = publication(offset, number);
        let heard = Event::Publication {
            channel: "news".to_owned(),
            publication: publication.into(),
            recovered: false,
        };
        scene.0.told(now, 0, &heard);
        scene.0.latency().count()
    };
    scene.0.told(at(1), 1, &connected);
    let numbers: Vec<_> = (2..5).map(|now| scene.0.publishes(at(now), Some(1), 0)).collect();
    assert_eq!(hear(&mut scene, at(6), 1, numbers[0]), 1);
    scene.0.stalls(0, at(4));
    assert_eq!(hear(&mut scene, at(6), 2, numbers[1]), 1, "it did not listen");
    scene.0.told(at(6), 1, &lost);
    scene.0.told(at(7), 1, &connected);
    assert_eq!(hear(&mut scene, at(8), 3, numbers[2]), 1, "the publisher was away");
}

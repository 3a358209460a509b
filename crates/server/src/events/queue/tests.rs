use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

use super::super::event::Words;
use super::super::kind::Kind;
use super::*;
use std::time::Duration;

const ROOMY: QueueLimits = QueueLimits { events_max: 1000, bytes_max: 1 << 20 };

fn event(number: u64) -> Event {
    let reason = number.to_string();
    let words = Words { reason: Some(&reason), ..Words::default() };
    Event::new(Kind::Connected, number, &words)
}

fn batch(events_max: usize) -> BatchLimits {
    BatchLimits { events_max, bytes_max: 1 << 20, interval: Duration::ZERO }
}

fn written(queue: &Queue) -> Vec<Value> {
    let mut body = "[".to_owned();
    queue.write("e", &mut body);
    body.push(']');
    serde_json::from_str(&body).expect("it is JSON")
}

/// What is told, as `seq` or `first-seq` of a gap.
fn told(queue: &Queue) -> Vec<String> {
    let seq = |event: &Value| event["seq"].as_u64().unwrap();
    let text = |event: &Value| match event["dropped"].as_u64() {
        Some(dropped) => format!("{}-{}", seq(event) + 1 - dropped, seq(event)),
        None => seq(event).to_string(),
    };
    written(queue).iter().map(text).collect()
}

#[test]
fn a_request_is_told_the_same_again_until_it_is_taken() {
    let mut queue = Queue::new(ROOMY);
    for number in 1..=5 {
        assert_eq!(queue.push(event(number)), Dropped(0));
    }
    for _ in 0..3 {
        assert_eq!(queue.take(&batch(2)), 2);
        assert_eq!(told(&queue), ["1", "2"]);
    }
    assert_eq!((queue.delivered(), queue.len()), (2, 3));
    assert_eq!(queue.take(&batch(10)), 3);
    assert_eq!(told(&queue), ["3", "4", "5"]);
    queue.delivered();
    assert_eq!((queue.len(), queue.bytes(), queue.take(&batch(10))), (0, 0, 0));
}

#[test]
fn a_request_holds_so_many_bytes_and_at_least_one_event() {
    let mut queue = Queue::new(ROOMY);
    for number in 1..=3 {
        queue.push(event(number));
    }
    let weight = event(1).weight();
    for (bytes_max, expected) in [(1, 1), (2 * weight, 2), (2 * weight + 1, 2), (3 * weight, 3)] {
        assert_eq!(queue.take(&BatchLimits { bytes_max, ..batch(10) }), expected, "{bytes_max}");
    }
}

#[test]
fn when_it_is_full_the_oldest_that_are_not_under_way_become_one_gap() {
    let mut queue = Queue::new(QueueLimits { events_max: 4, ..ROOMY });
    for number in 1..=4 {
        queue.push(event(number));
    }
    queue.take(&batch(1));
    let dropped: u64 = (5..=9).map(|number| queue.push(event(number)).0).sum();
    assert_eq!(told(&queue), ["1"], "what is under way stays");
    queue.delivered();
    queue.take(&batch(10));
    assert_eq!(told(&queue), ["2-7", "8", "9"]);
    assert_eq!(dropped, 6);
}

#[test]
fn too_many_bytes_are_too_much_as_well() {
    let mut queue = Queue::new(QueueLimits { bytes_max: 2 * event(1).weight(), ..ROOMY });
    let dropped: u64 = (1..=3).map(|number| queue.push(event(number)).0).sum();
    assert_eq!(dropped, 1);
    queue.take(&batch(10));
    assert_eq!(told(&queue), ["1-1", "2", "3"]);
}

#[test]
fn what_is_given_up_becomes_a_gap_that_the_next_one_joins() {
    let mut queue = Queue::new(QueueLimits { events_max: 3, ..ROOMY });
    queue.push(event(1));
    queue.take(&batch(1));
    assert_eq!(queue.give_up(), Dropped(1));
    for number in 2..=4 {
        queue.push(event(number));
    }
    queue.take(&batch(10));
    assert_eq!(told(&queue), ["1-2", "3", "4"]);
    assert_eq!(queue.give_up(), Dropped(2), "of a gap there is nothing more to drop");
    queue.take(&batch(10));
    assert_eq!(told(&queue), ["1-4"]);
}

/// An endpoint that keeps what it is told once, however often that is.
#[derive(Default)]
struct Endpoint {
    covered: u64,
    events: u64,
    gaps: u64,
}

impl Endpoint {
    fn hear(&mut self, told: &[Value]) {
        for event in told {
            let (seq, dropped) = (event["seq"].as_u64().unwrap(), event["dropped"].as_u64());
            let first = seq + 1 - dropped.unwrap_or(1);
            if seq <= self.covered {
                continue;
            }
            assert!(first <= self.covered + 1, "a hole that nobody told of: {} and {event}", self.covered);
            match dropped {
                // What it has of a gap, because an answer was lost, it has.
                Some(_) => self.gaps += seq - self.covered,
                None => {
                    assert_eq!(event["reason"], seq.to_string(), "each in its own place");
                    self.events += 1;
                }
            }
            self.covered = seq;
        }
    }
}

/// Whatever is lost on the way, what the endpoint is told covers every place in order, and nothing below the limits is dropped.
#[test]
fn any_life_of_a_queue_is_told_in_order_and_without_a_silent_hole() {
    for seed in 0..500 {
        let mut chance = StdRng::seed_from_u64(seed);
        let events_max = if seed % 2 == 0 { 20 } else { 10_000 };
        let (mut queue, mut endpoint) =
            (Queue::new(QueueLimits { events_max, ..ROOMY }), Endpoint::default());
        let (mut pushed, mut dropped, mut delivered) = (0, 0, 0);
        for _ in 0..300 {
            match chance.random_range(0..8) {
                0..4 => {
                    for _ in 0..chance.random_range(1..6) {
                        pushed += 1;
                        dropped += queue.push(event(pushed)).0;
                    }
                }
                4 => drop(queue.take(&batch(chance.random_range(1..8)))),
                5 => endpoint.hear(&written(&queue)),
                6 => {
                    endpoint.hear(&written(&queue));
                    delivered += queue.delivered();
                }
                _ if seed % 4 == 0 => dropped += queue.give_up().0,
                _ => {}
            }
            assert!(queue.len() <= events_max + 2, "but for a gap on each side");
        }
        while queue.take(&batch(7)) > 0 {
            endpoint.hear(&written(&queue));
            delivered += queue.delivered();
        }
        assert_eq!(
            delivered + dropped,
            pushed,
            "seed {seed}: each was delivered or dropped, and counted once"
        );
        assert_eq!((endpoint.covered, queue.bytes()), (pushed, 0), "seed {seed}");
        assert_eq!(endpoint.events + endpoint.gaps, pushed);
        assert!(endpoint.gaps <= dropped, "seed {seed}");
        if seed % 4 != 0 && events_max > 20 {
            assert_eq!((dropped, endpoint.gaps), (0, 0), "seed {seed}");
        }
    }
}

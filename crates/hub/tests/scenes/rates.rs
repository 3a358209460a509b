//! How often one client may ask, and what becomes of one that asks more often.

use std::time::Duration;

use spanwire_hub::limits::{ClientRates, Limits};
use spanwire_hub::rate::Rate;
use spanwire_hub::{RateLimit, SessionId};

use crate::support::{World, namespaces};

const WINDOW: Duration = Duration::from_secs(2);

fn limited(rates: ClientRates) -> World {
    World::with_limits(Limits { rates, ..Limits::default() })
}

/// How many of these commands are answered with anything but error 111.
fn answered(world: &mut World, id: SessionId, command: &str, count: usize) -> usize {
    for _ in 0..count {
        world.send(id, &format!(r#"{{"id":9,{command}}}"#));
    }
    world.read(id).iter().filter(|reply| !reply.contains(r#""code":111"#)).count()
}

#[test]
fn a_client_at_its_limit_is_told_when_to_come_again_and_then_it_may() {
    let rates = ClientRates { commands: Rate::new(10, WINDOW), ..ClientRates::default() };
    let mut world = limited(rates);
    let ann = world.connect("ann");
    let publish = r#""publish":{"channel":"open:x","data":1}"#;
    assert_eq!(answered(&mut world, ann, publish, 20), 20);
    world.send(ann, &format!(r#"{{"id":9,{publish}}}"#));
    let error = r#"{"code":111,"message":"too many requests: try again in 26 ms","temporary":true}"#;
    assert_eq!(world.read(ann), [format!(r#"{{"id":9,"error":{error}}}"#)]);
    assert_eq!(world.limited, [RateLimit::Commands]);
    world.pass(Duration::from_millis(1020));
    assert_eq!(answered(&mut world, ann, publish, 11), 10);
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn only_the_obstinate_are_let_go_and_may_come_back() {
    let rates = ClientRates { commands: Rate::new(10, WINDOW), ..ClientRates::default() };
    let mut world = limited(rates);
    let ann = world.connect("ann");
    let history = r#""history":{"channel":"kept:x"}"#;
    answered(&mut world, ann, history, 20 + 50);
    assert_eq!(world.code(ann), None);
    answered(&mut world, ann, history, 60);
    assert_eq!(world.code(ann), Some(3013));
    world.end();
}

#[test]
fn bytes_and_subscribes_have_rates_of_their_own() {
    let rates = ClientRates {
        bytes: Rate::new(1000, WINDOW),
        subscribes: Rate::new(2, WINDOW),
        ..ClientRates::default()
    };
    let mut world = limited(rates);
    let ann = world.connect("ann");
    let large = format!(r#""publish":{{"channel":"open:x","data":"{}"}}"#, "x".repeat(1050));
    assert_eq!(answered(&mut world, ann, &large, 4), 2);
    assert_eq!(world.limited, [RateLimit::Bytes; 2]);
    world.limited.clear();

    let bob = world.connect("bob");
    assert_eq!(answered(&mut world, bob, r#""subscribe":{"channel":"shut:x"}"#, 6), 4);
    assert_eq!(world.limited, [RateLimit::Subscribes; 2]);
    // What is no subscribe goes on, and so does a client beside it.
    assert_eq!(answered(&mut world, bob, r#""publish":{"channel":"open:x","data":1}"#, 5), 5);
    world.end();
}

#[test]
fn pongs_and_unsubscribes_are_never_refused() {
    let rates = ClientRates { commands: Rate::new(1, WINDOW), ..ClientRates::default() };
    let mut world = limited(rates);
    let ann = world.subscriber("ann", "open:x");
    assert_eq!(answered(&mut world, ann, r#""publish":{"channel":"open:x","data":1}"#, 2), 2);
    assert_eq!(answered(&mut world, ann, r#""unsubscribe":{"channel":"open:x"}"#, 1), 1);
    world.pass(Duration::from_secs(25));
    assert!(world.read(ann).contains(&"{}".to_owned()), "it is pinged");
    for _ in 0..3 {
        answered(&mut world, ann, r#""history":{"channel":"kept:x"}"#, 1);
    }
    world.send(ann, "{}");
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn a_channel_has_a_rate_for_all_who_publish_in_it() {
    let mut namespaces = namespaces();
    let open = std::sync::Arc::make_mut(namespaces.named.get_mut("open").unwrap());
    open.publish_rate = Rate::new(10, WINDOW);
    let mut world = World::with(Limits::default(), namespaces);
    let listener = world.subscriber("eve", "open:x");
    let crowd = ["ann", "bob"].map(|user| world.connect(user));
    let publish = r#""publish":{"channel":"open:x","data":1}"#;
    let passed: usize = crowd.map(|id| answered(&mut world, id, publish, 15)).into_iter().sum();
    assert_eq!(passed, 20);
    assert_eq!(world.limited, [RateLimit::Publishes; 10]);
    assert_eq!(world.heard(listener).len(), 20);
    // Another channel of the namespace, and the backend, are not concerned.
    world.subscriber("eve", "open:y");
    assert_eq!(answered(&mut world, crowd[0], &publish.replace(":x", ":y"), 15), 15);
    world.publish("open:x", "2");
    assert_eq!(world.heard(listener).len(), 1);
    world.end();
}

#[test]
fn what_was_used_is_forgotten_when_it_is_paid_back() {
    let rates = ClientRates { commands: Rate::new(10, WINDOW), ..ClientRates::default() };
    let mut world = limited(rates);
    let ann = world.connect("ann");
    let publish = r#""publish":{"channel":"open:x","data":1}"#;
    for _ in 0..5 {
        assert_eq!(answered(&mut world, ann, publish, 25), 20);
        for _ in 0..30 {
            world.pass(Duration::from_secs(1));
            if world.read(ann).contains(&"{}".to_owned()) {
                world.send(ann, "{}");
            }
        }
    }
    world.end();
}

use spanwire_hub::channel::{Channel, Epoch, Position};
use spanwire_hub::limits::Limits;
use spanwire_hub::{Expiry, Grant, Order, Whom};
use spanwire_wire::UnsubscribeCode;
use std::time::Duration;

use crate::support::{DAWN, World};

fn user(user: &str) -> Whom {
    Whom { user: user.to_owned(), ..Whom::default() }
}

fn subscribe(who: &str, channel: &str, since: Option<Position>) -> Order {
    Order::Subscribe { whom: user(who), channel: Channel::new(channel), grant: Grant::default(), since }
}

/// The epoch that a push tells.
fn epoch_of(line: &str) -> Epoch {
    let (_, rest) = line.split_once(r#""epoch":""#).unwrap();
    Epoch::new(rest.split_once('"').unwrap().0)
}

#[test]
fn an_ordered_subscription_is_told_and_then_heard() {
    let mut world = World::new();
    let (ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.order(subscribe("ann", "shut:x", None));
    assert_eq!(world.read(ann), [r#"{"push":{"channel":"shut:x","subscribe":{}}}"#]);
    world.publish("shut:x", "1");
    assert_eq!(world.heard(ann), ["1"]);
    assert!(world.read(bob).is_empty());
    world.end();
}

#[test]
fn a_second_order_changes_nothing() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    world.order(subscribe("ann", "open:x", None));
    world.order(subscribe("ann", "nowhere:x", None));
    assert!(world.read(ann).is_empty());
    assert_eq!(world.hub.census().subscriptions, 1);
    world.end();
}

#[test]
fn what_was_missed_follows_the_push_and_what_is_published_meanwhile_follows_that() {
    let mut world = World::new();
    let (ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.order(subscribe("bob", "kept:x", None));
    let epoch = epoch_of(&world.read(bob)[0]);
    for data in ["1", "2", "3"] {
        world.publish("kept:x", data);
    }
    world.hold();
    world.order(subscribe("ann", "kept:x", Some(Position { offset: 1, epoch })));
    world.release_with_late_answers(|world| world.publish("kept:x", "4"));
    let lines = world.read(ann);
    assert!(
        lines[0].contains(r#""subscribe":{"recoverable":true"#) && lines[0].contains(r#""offset":1"#),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, offset) in lines[1..].iter().zip([2, 3, 4]) {
        assert!(line.contains(&format!(r#""offset":{offset}"#)), "{lines:?}");
    }
    assert_eq!(world.heard(bob), ["1", "2", "3", "4"]);
    world.end();
}

#[test]
fn a_position_that_is_gone_begins_at_the_top() {
    let mut world = World::new();
    let (ann, bob) = (world.connect("ann"), world.connect("bob"));
    world.order(subscribe("bob", "kept:x", None));
    world.publish("kept:x", "1");
    world.order(subscribe("ann", "kept:x", Some(Position { offset: 0, epoch: Epoch::new("other") })));
    let lines = world.read(ann);
    assert!(lines.len() == 1 && lines[0].contains(r#""offset":1"#), "{lines:?}");
    world.read(bob);
    world.end();
}

#[test]
fn an_order_to_leave_overtakes_one_to_come() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.order(subscribe("ann", "kept:x", None));
    let channel = Some(Channel::new("kept:x"));
    world.order(Order::Unsubscribe { whom: user("ann"), channel, code: UnsubscribeCode::Server });
    world.release();
    assert!(world.read(ann).is_empty());
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn a_client_that_leaves_before_it_is_told_leaves_nothing_behind() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.order(subscribe("ann", "chat:x", None));
    world.gone(ann);
    world.release();
    world.end();
}

#[test]
fn a_client_with_as_many_subscriptions_as_it_may_have_is_closed() {
    let mut world = World::with_limits(Limits { channels_per_client_max: 1, ..Limits::default() });
    let ann = world.subscriber("ann", "open:x");
    world.order(subscribe("ann", "open:y", None));
    assert_eq!(world.code(ann), Some(3505));
    world.end();
}

#[test]
fn the_backend_prolongs_a_connection_or_ends_it() {
    let mut world = World::with_limits(Limits { ping_interval: Duration::ZERO, ..Limits::default() });
    let (ann, bob, eve) = (world.connect("ann"), world.connect("bob"), world.connect("eve"));
    let refresh = |who, expiry| Order::Refresh { whom: user(who), expiry, info: None };
    world.order(refresh("ann", Expiry::At(DAWN + 10)));
    assert_eq!(world.read(ann), [r#"{"push":{"refresh":{"expires":true,"ttl":10}}}"#]);
    world.order(refresh("bob", Expiry::At(DAWN + 10)));
    world.order(refresh("bob", Expiry::Never));
    assert_eq!(world.read(bob)[1], r#"{"push":{"refresh":{}}}"#);
    world.order(refresh("eve", Expiry::Now));
    assert_eq!(world.code(eve), Some(3005));
    world.pass(Duration::from_secs(40));
    assert_eq!((world.code(ann), world.code(bob)), (Some(3005), None));
    world.end();
}

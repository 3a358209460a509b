use spanwire_hub::channel::Channel;
use spanwire_hub::{Opening, Order, Reach, Upstream, Whom};
use spanwire_wire::{DisconnectCode, Encoding, UnsubscribeCode};

use crate::support::World;

fn user(user: &str) -> Whom {
    Whom { user: user.to_owned(), ..Whom::default() }
}

#[test]
fn an_unsubscribe_always_succeeds() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    for channel in ["open:x", "open:x", "nowhere:y"] {
        world.send(ann, &format!(r#"{{"id":3,"unsubscribe":{{"channel":"{channel}"}}}}"#));
        assert_eq!(world.read(ann), [r#"{"id":3,"unsubscribe":{}}"#]);
    }
    world.publish("open:x", "1");
    assert!(world.heard(ann).is_empty());
    world.end();
}

#[test]
fn a_client_may_leave_and_come_back_in_the_same_frame() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "chat:x");
    world.read(ann);
    world.send(
        ann,
        "{\"id\":3,\"unsubscribe\":{\"channel\":\"chat:x\"}}\n{\"id\":4,\"subscribe\":{\"channel\":\"chat:x\"}}",
    );
    let lines = world.read(ann);
    assert!(
        lines[0].starts_with(r#"{"id":3,"unsubscribe":{}"#)
            && lines[1].starts_with(r#"{"id":4,"subscribe":{"#)
    );
    world.publish("chat:x", "1");
    assert_eq!(world.heard(ann), ["1"]);
    world.end();
}

#[test]
fn those_who_stay_hear_of_a_lost_connection_as_of_a_leave() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "chat:x");
    let bob = world.subscriber("bob", "chat:x");
    world.read(ann);
    world.gone(bob);
    let lines = world.read(ann);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains(r#""leave":{"info":{"user":"bob""#));
    world.send(ann, r#"{"id":3,"presence_stats":{"channel":"chat:x"}}"#);
    assert!(world.read(ann)[0].contains(r#""num_clients":1"#));
    world.end();
}

#[test]
fn whoever_leaves_does_not_take_another_members_place() {
    let mut world = World::new();
    let all: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|name| world.subscriber(name, "open:x")).collect();
    for (leaver, expected) in [(1, "1"), (0, "2"), (3, "3")] {
        world.send(all[leaver], r#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#);
        world.read(all[leaver]);
        world.publish("open:x", expected);
        assert!(world.heard(all[leaver]).is_empty());
    }
    assert_eq!(world.heard(all[2]), ["1", "2", "3"]);
    world.end();
}

#[test]
fn an_ordered_disconnect_ends_all_connections_of_a_user_but_the_spared() {
    let mut world = World::new();
    let (ann, also_ann, bob) = (world.connect("ann"), world.connect("ann"), world.connect("bob"));
    let disconnect = DisconnectCode::ForceNoReconnect.into();
    world.order(Order::Disconnect { whom: user("ann"), spared: Vec::new(), disconnect });
    assert_eq!([world.code(ann), world.code(also_ann), world.code(bob)], [Some(3503), Some(3503), None]);
    world.end();
}

#[test]
fn an_ordered_unsubscribe_is_told_to_the_client() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    let channel = Some(Channel::new("open:x"));
    world.order(Order::Unsubscribe { whom: user("ann"), channel, code: UnsubscribeCode::Server });
    assert_eq!(
        world.read(ann),
        [r#"{"push":{"channel":"open:x","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}"#]
    );
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"open:x"}}"#);
    world.order(Order::Unsubscribe { whom: user("ann"), channel: None, code: UnsubscribeCode::Server });
    assert_eq!(world.read(ann).len(), 2);
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn a_place_that_is_used_again_does_not_hear_what_was_for_its_last_owner() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    world.publish("open:x", "1");
    world.gone(ann);
    let bob = world.connect("bob");
    assert_eq!(bob.index, ann.index);
    assert_ne!(bob.generation, ann.generation);
    world.send(ann, r#"{"id":9,"subscribe":{"channel":"open:x"}}"#);
    world.publish("open:x", "2");
    assert!(world.read(bob).is_empty());
    world.send(bob, r#"{"id":2,"subscribe":{"channel":"open:x"}}"#);
    assert_eq!(world.read(bob).len(), 1);
    world.end();
}

#[test]
fn a_session_id_means_the_one_client_that_was_told_it() {
    let mut world = World::new();
    let ann = world.connect("ann");
    let reach = Reach { session: "secret".to_owned(), node: "here".to_owned() };
    let opening = Opening { upstream: Upstream::Requests(Box::new(reach)), ..Opening::new(Encoding::Json) };
    let other = world.open_with(opening);
    world.send(other, r#"{"id":1,"connect":{"token":"ann"}}"#);
    assert!(world.read(other)[0].contains(r#""session":"secret""#));
    let disconnect = |user: &str, session: &str| {
        let whom = Whom { session: Some(session.to_owned()), ..self::user(user) };
        Order::Disconnect { whom, spared: Vec::new(), disconnect: DisconnectCode::ForceNoReconnect.into() }
    };
    for (user, session) in [("bob", "secret"), ("ann", "guess"), ("ann", ""), ("", "")] {
        world.order(disconnect(user, session));
        assert_eq!((world.code(ann), world.code(other)), (None, None), "{user} {session}");
    }
    world.order(disconnect("", "secret"));
    assert_eq!((world.code(ann), world.code(other).is_some()), (None, true));
    world.end();
}

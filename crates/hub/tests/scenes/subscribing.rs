use spanwire_hub::{Grant, Refusal, SubscriptionOptions};
use spanwire_wire::{DisconnectCode, ErrorCode};

use crate::support::{DAWN, World};

fn subscribe(world: &mut World, user: &'static str, body: &str) -> (String, Option<u32>) {
    let id = world.connect(user);
    world.send(id, &format!(r#"{{"id":2,"subscribe":{{{body}}}}}"#));
    (world.read(id).into_iter().next().unwrap_or_default(), world.code(id))
}

#[test]
fn who_may_subscribe_to_what() {
    let table = [
        ("ann", r#""channel":"open:x""#, r#"{"id":2,"subscribe":{}}"#),
        ("ann", r#""channel":"shut:x""#, "103"),
        ("ann", r#""channel":"nowhere:x""#, "102"),
        ("ann", r#""channel":"$open:x""#, "103"),
        ("ann", r#""channel":"$open:x","token":"good""#, r#"{"id":2,"subscribe":{}}"#),
        ("ann", r#""channel":"shut:x","token":"good""#, r#"{"id":2,"subscribe":{}}"#),
        ("ann", r#""channel":"open:x","token":"unknown""#, "103"),
        ("ann", r#""channel":"open:x","token":"old""#, "109"),
        ("ann", r#""channel":"users:x#ann,bob""#, r#"{"id":2,"subscribe":{}}"#),
        ("eve", r#""channel":"users:x#ann,bob""#, "103"),
        ("ann", r#""channel":"open:x","tf":{"key":"a","cmp":"eq","val":"b"}"#, "107"),
        ("ann", r#""channel":"open:x","type":1"#, "103"),
        ("ann", "\"channel\":\"open:\u{fc}\"", "107"),
    ];
    for (user, body, expected) in table {
        let mut world = World::new();
        world.grants.insert("good", Ok(Grant::default()));
        world.grants.insert("old", Err(Refusal::Error(ErrorCode::TokenExpired)));
        let (reply, code) = subscribe(&mut world, user, body);
        assert!(reply.contains(expected), "{user} {body}: {reply}");
        assert_eq!(code, None);
        world.end();
    }
}

#[test]
fn what_ends_the_connection_at_once() {
    for body in
        [r#""channel":"""#, r#""channel":"open:x","delta":"zip""#, r#""channel":"open:x","token":"stolen""#]
    {
        let mut world = World::new();
        world.grants.insert("stolen", Err(Refusal::Disconnect(DisconnectCode::InvalidToken)));
        let (_, code) = subscribe(&mut world, "ann", body);
        assert!(matches!(code, Some(3500 | 3501)), "{body}: {code:?}");
        world.end();
    }
}

#[test]
fn a_second_subscribe_to_the_same_channel_is_refused() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"open:x"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"error":{"code":105,"message":"already subscribed"}}"#]);
    world.end();
}

#[test]
fn a_position_is_told_only_where_there_is_one_to_keep() {
    let mut world = World::new();
    assert_eq!(subscribe(&mut world, "ann", r#""channel":"open:x""#).0, r#"{"id":2,"subscribe":{}}"#);
    world.publish("kept:x", "1");
    let (reply, _) = subscribe(&mut world, "ann", r#""channel":"kept:x""#);
    assert!(reply.starts_with(r#"{"id":2,"subscribe":{"recoverable":true,"epoch":""#), "{reply}");
    assert!(reply.ends_with(r#"","offset":1,"positioned":true}}"#), "{reply}");
    world.end();
}

#[test]
fn a_grant_says_what_the_reply_and_the_others_are_told() {
    let mut world = World::new();
    let options = SubscriptionOptions { presence: Some(true), ..SubscriptionOptions::default() };
    let grant = Grant {
        info: r#""chan""#.into(),
        data: r#"{"d":1}"#.into(),
        expire_at: Some(DAWN + 30),
        options,
        ..Grant::default()
    };
    world.grants.insert("good", Ok(grant));
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"chat:x","token":"good"}}"#);
    let lines = world.read(ann);
    assert!(lines[0].starts_with(r#"{"id":2,"subscribe":{"expires":true,"ttl":30,"#), "{lines:?}");
    assert!(lines[0].contains(r#""data":{"d":1}"#), "{lines:?}");
    assert!(lines[1].contains(r#""chan_info":"chan""#), "its own join: {lines:?}");
    world.end();
}

#[test]
fn a_grant_that_is_over_is_refused() {
    let mut world = World::new();
    world.grants.insert("over", Ok(Grant { expire_at: Some(DAWN), ..Grant::default() }));
    let (reply, _) = subscribe(&mut world, "ann", r#""channel":"open:x","token":"over""#);
    assert_eq!(reply, r#"{"id":2,"error":{"code":110,"message":"expired"}}"#);
    world.end();
}

#[test]
fn a_subscriber_hears_its_own_join_behind_the_reply_and_not_its_own_leave() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"chat:x"}}"#);
    let lines = world.read(ann);
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].starts_with(r#"{"push":{"channel":"chat:x","join":{"info":{"user":"ann","client":""#),
        "{lines:?}"
    );
    let bob = world.subscriber("bob", "chat:x");
    assert!(world.read(ann)[0].contains(r#""join":{"info":{"user":"bob""#));
    world.send(bob, r#"{"id":3,"unsubscribe":{"channel":"chat:x"}}"#);
    assert_eq!(world.read(bob), [r#"{"id":3,"unsubscribe":{}}"#]);
    assert!(world.read(ann)[0].contains(r#""leave":{"info":{"user":"bob""#));
    world.end();
}

#[test]
fn nothing_of_a_channel_is_written_before_the_reply_to_its_subscribe() {
    let mut world = World::new();
    let _bob = world.subscriber("bob", "kept:x");
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"kept:x"}}"#);
    world.publish("kept:x", "1");
    assert!(world.read(ann).is_empty());
    world.release_with_late_answers(|world| world.publish("kept:x", "2"));
    let lines = world.read(ann);
    assert!(
        lines[0].starts_with(r#"{"id":2,"subscribe""#) && lines[0].contains(r#""offset":1,"#),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains(r#""data":2,"offset":2"#), "{lines:?}");
    world.end();
}

#[test]
fn a_client_that_goes_while_it_subscribes_leaves_nothing_behind() {
    for channel in ["open:x", "kept:x", "chat:x"] {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.hold();
        world.send(ann, &format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#));
        world.gone(ann);
        world.release();
        assert_eq!(world.hub.census().channels, 0);
        world.end();
    }
}

use std::time::Duration;

use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::{Credentials, Grant, Refusal};
use spanwire_wire::code::told_to_retry_in;
use spanwire_wire::{DisconnectCode, ErrorCode};

use crate::support::{DAWN, World};

#[test]
fn a_connect_is_answered_with_an_id_a_version_and_the_heartbeat() {
    let mut world = World::new();
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{}}"#);
    let reply = world.read(ann).remove(0);
    assert!(reply.starts_with(r#"{"id":1,"connect":{"client":""#), "{reply}");
    assert!(reply.ends_with(r#"","version":"test","ping":25,"pong":true}}"#), "{reply}");
    world.end();
}

#[test]
fn whatever_comes_before_connect_is_a_bad_request() {
    for frame in
        ["{}", r#"{"id":1,"subscribe":{"channel":"open:x"}}"#, r#"{"id":1,"ping":{}}"#, r#"{"id":1}"#]
    {
        let mut world = World::new();
        let ann = world.open();
        world.send(ann, frame);
        assert_eq!(world.code(ann), Some(3501), "{frame}");
        world.end();
    }
}

#[test]
fn garbage_and_empty_frames_are_bad_requests() {
    for frame in ["", "\n", "garbage", "[]", r#"{"id":"x"}"#, "{}\n\n{}"] {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.send(ann, frame);
        assert_eq!(world.code(ann), Some(3501), "{frame:?}");
        world.end();
    }
}

#[test]
fn a_second_connect_and_unknown_commands_are_bad_requests() {
    for frame in [r#"{"id":2,"connect":{}}"#, r#"{"id":2}"#, r#"{"id":2,"what":{}}"#, r#"{"id":2,"ping":{}}"#]
    {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.send(ann, frame);
        assert_eq!(world.code(ann), Some(3501), "{frame}");
        world.end();
    }
}

#[test]
fn a_refused_connect_leaves_the_connection_good_for_nothing() {
    let mut world = World::new();
    world.tokens.insert("old", Err(Refusal::Error(ErrorCode::TokenExpired)));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"old"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":1,"error":{"code":109,"message":"token expired"}}"#]);
    assert_eq!(world.code(ann), None);
    world.send(ann, r#"{"id":2,"connect":{}}"#);
    assert_eq!(world.code(ann), Some(3501));
    world.end();
}

#[test]
fn an_invalid_token_ends_the_connection() {
    let mut world = World::new();
    world.tokens.insert("forged", Err(Refusal::Disconnect(DisconnectCode::InvalidToken)));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"forged"}}"#);
    assert_eq!(world.code(ann), Some(3500));
    assert!(world.read(ann).is_empty());
    world.end();
}

#[test]
fn a_connection_that_expires_says_in_how_many_seconds() {
    let mut world = World::new();
    let credentials = Credentials { expire_at: Some(DAWN + 60), ..Credentials::default() };
    world.tokens.insert("brief", Ok(credentials));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"brief"}}"#);
    assert!(world.read(ann)[0].contains(r#""expires":true,"ttl":60,"#));
    world.end();
}

#[test]
fn commands_of_one_frame_are_begun_in_order_and_all_answered() {
    let mut world = World::new();
    let ann = world.open();
    let frame = [
        r#"{"id":1,"connect":{}}"#,
        r#"{"id":2,"subscribe":{"channel":"chat:a"}}"#,
        r#"{"id":3,"publish":{"channel":"chat:a","data":"hi"}}"#,
        r#"{"id":4,"unsubscribe":{"channel":"chat:a"}}"#,
        r#"{"id":5,"subscribe":{"channel":"chat:a"}}"#,
    ];
    world.hold();
    world.send(ann, &frame.join("\n"));
    assert!(world.hub.is_busy(ann));
    world.release();
    assert!(!world.hub.is_busy(ann));
    let ids: Vec<_> = world
        .read(ann)
        .iter()
        .filter(|line| line.starts_with(r#"{"id""#))
        .map(|line| line[6..7].to_owned())
        .collect();
    // A publish does not hold up what follows it: its reply comes when the broker has answered.
    assert_eq!(ids, ["1", "2", "4", "3", "5"]);
    assert_eq!(world.resumed, [ann]);
    world.end();
}

#[test]
fn server_side_subscriptions_are_in_the_connect_reply_and_live_right_behind_it() {
    let mut world = World::new();
    let channels = vec![
        (Channel::new("chat:a"), Grant::default()),
        (Channel::new("open:b"), Grant { data: r#"{"x":1}"#.into(), ..Grant::default() }),
    ];
    world.tokens.insert("ann", Ok(Credentials { user: "ann".into(), channels, ..Credentials::default() }));
    world.publish("chat:a", "1");
    let ann = world.open();
    world.hold();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    world.release_with_late_answers(|world| world.publish("chat:a", "2"));
    let lines = world.read(ann);
    assert!(lines[0].contains(r#""subs":{"chat:a":{"recoverable":true,"epoch":"#), "{lines:?}");
    assert!(lines[0].contains(r#""offset":1,"positioned":true},"open:b":{"data":{"x":1}}}"#), "{lines:?}");
    assert!(lines[1].contains(r#"{"push":{"channel":"chat:a","pub":{"data":2,"offset":2"#), "{lines:?}");
    world.publish("open:b", "3");
    assert_eq!(world.heard(ann).last().unwrap(), "3");
    world.end();
}

#[test]
fn server_side_subscriptions_recover_from_where_the_client_says_that_it_was() {
    let mut world = World::new();
    let channels = vec![(Channel::new("kept:a"), Grant::default())];
    world.tokens.insert("ann", Ok(Credentials { user: "ann".into(), channels, ..Credentials::default() }));
    for data in ["1", "2", "3"] {
        world.publish("kept:a", data);
    }
    let ann = world.open();
    world.send(
        ann,
        r#"{"id":1,"connect":{"token":"ann","subs":{"kept:a":{"recover":true,"offset":1,"epoch":""}}}}"#,
    );
    let reply = world.read(ann).remove(0);
    assert!(reply.contains(r#""recovered":true"#) && reply.contains(r#""was_recovering":true"#), "{reply}");
    assert!(reply.contains(r#"[{"data":2,"offset":2},{"data":3,"offset":3}]"#), "{reply}");
    world.end();
}

#[test]
fn a_server_side_subscription_that_is_over_refuses_the_whole_connect() {
    let mut world = World::new();
    let channels = vec![(Channel::new("open:b"), Grant { expire_at: Some(DAWN), ..Grant::default() })];
    world.tokens.insert("ann", Ok(Credentials { channels, ..Credentials::default() }));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":1,"error":{"code":110,"message":"expired"}}"#]);
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn an_unknown_namespace_among_server_side_subscriptions_refuses_the_whole_connect() {
    let mut world = World::new();
    let channels =
        vec![(Channel::new("chat:a"), Grant::default()), (Channel::new("nowhere:b"), Grant::default())];
    world.tokens.insert("ann", Ok(Credentials { channels, ..Credentials::default() }));
    let ann = world.open();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":1,"error":{"code":102,"message":"unknown channel"}}"#]);
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn a_client_that_never_connects_is_stale() {
    let mut world = World::new();
    let ann = world.open();
    world.pass(Duration::from_millis(9_900));
    assert_eq!(world.code(ann), None);
    world.pass(Duration::from_millis(300));
    assert_eq!(world.code(ann), Some(3502));
    world.end();
}

#[test]
fn a_client_whose_connect_we_do_not_answer_in_time_may_come_back() {
    let mut world = World::new();
    let channels = vec![(Channel::new("open:x"), Grant::default())];
    world.tokens.insert("ann", Ok(Credentials { channels, ..Credentials::default() }));
    let ann = world.open();
    world.hold();
    world.send(ann, r#"{"id":1,"connect":{"token":"ann"}}"#);
    world.pass(Duration::from_secs(11));
    assert_eq!(world.code(ann), Some(DisconnectCode::InternalServerError.code()));
    assert!(DisconnectCode::InternalServerError.reconnect());
    world.end();
}

#[test]
fn a_node_that_drains_spreads_those_who_understand_over_time() {
    let limits = Limits { drain_returns_per_second: 32, ..Limits::default() };
    let mut world = World::with_limits(limits);
    let stock: Vec<_> = (0..4).map(|_| world.connect("stock")).collect();
    let ours: Vec<_> = (0..60).map(|_| world.open()).collect();
    for id in &ours {
        world.send(*id, r#"{"id":1,"connect":{"headers":{"spanwire":"1"}}}"#);
    }
    world.drain();
    for id in stock {
        assert_eq!(world.reason(id), Some("shutdown"), "others would not know what to make of more");
    }
    let waits = ours.into_iter().map(|id| told_to_retry_in(world.reason(id).unwrap()).unwrap());
    let mut waits: Vec<_> = waits.map(|wait| wait.as_millis()).collect();
    waits.sort_unstable();
    assert!(waits[59] <= 2000, "64 clients at 32 a second");
    let quarters = [0, 500, 1000, 1500]
        .map(|from| waits.iter().filter(|wait| (from..from + 500).contains(*wait)).count());
    assert!(quarters.iter().all(|count| (5..=25).contains(count)), "{quarters:?}");
    world.end();
}

#[test]
fn a_client_that_comes_while_the_node_drains_is_sent_away() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.drain();
    assert_eq!(world.code(ann), Some(3001));
    let bob = world.open();
    assert_eq!(world.code(bob), Some(3001));
    world.end();
}

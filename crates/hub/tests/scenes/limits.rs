use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::{Credentials, Grant};

use crate::support::World;

#[test]
fn an_outbox_that_fills_closes_its_client_and_spares_the_channel() {
    let mut world = World::with_limits(Limits { outbox_bytes_max: 200, ..Limits::default() });
    let slow = world.subscriber("slow", "open:x");
    let ann = world.subscriber("ann", "open:x");
    let mut heard = Vec::new();
    for data in ["1", "2", "3", "4", "5", "6"] {
        world.publish("open:x", data);
        let outbox = world.hub.outbox_mut(ann).unwrap();
        heard.extend(outbox.iter().map(|message| message.len()));
        outbox.consume(usize::MAX);
    }
    assert_eq!(world.code(slow), Some(3008));
    assert_eq!(world.code(ann), None);
    assert_eq!(heard.len(), 6);
    assert!(world.hub.outbox_mut(slow).unwrap().bytes() <= 200);
    world.end();
}

#[test]
fn an_outbox_that_two_channels_fill_in_one_turn_closes_its_client_once() {
    let mut world = World::with_limits(Limits { outbox_bytes_max: 200, ..Limits::default() });
    let slow = world.subscriber("slow", "open:x");
    world.send(slow, r#"{"id":3,"subscribe":{"channel":"open:y"}}"#);
    world.stall(slow);
    world.publish("open:x", "1");
    world.publish("open:x", "2");
    assert_eq!(world.code(slow), None);
    world.turn(|world| {
        for _ in 0..3 {
            world.publish("open:x", "3");
            world.publish("open:y", "3");
        }
    });
    assert_eq!(world.code(slow), Some(3008));
    world.end();
}

#[test]
fn channels_per_client_are_limited() {
    let mut world = World::with_limits(Limits { channels_per_client_max: 2, ..Limits::default() });
    let ann = world.connect("ann");
    for channel in 0..2 {
        world.send(ann, &format!(r#"{{"id":2,"subscribe":{{"channel":"open:{channel}"}}}}"#));
        assert_eq!(world.read(ann), [r#"{"id":2,"subscribe":{}}"#]);
    }
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"open:2"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"error":{"code":106,"message":"limit exceeded"}}"#]);
    world.end();
}

#[test]
fn ten_thousand_channels_on_one_client_work_where_they_are_allowed() {
    let mut world = World::with_limits(Limits { channels_per_client_max: 10_000, ..Limits::default() });
    let ann = world.connect("ann");
    for channel in 0..10_000 {
        world.send(ann, &format!(r#"{{"id":2,"subscribe":{{"channel":"open:{channel}"}}}}"#));
    }
    assert_eq!(world.read(ann).len(), 10_000);
    assert_eq!(world.hub.census().channels, 10_000);
    world.publish("open:7777", "1");
    assert_eq!(world.heard(ann), ["1"]);
    world.end();
}

#[test]
fn long_channel_names_are_refused() {
    let mut world = World::new();
    let ann = world.connect("ann");
    let long = format!("open:{}", "x".repeat(251));
    for command in ["subscribe", "history", "presence"] {
        world.send(ann, &format!(r#"{{"id":2,"{command}":{{"channel":"{long}"}}}}"#));
        assert!(world.read(ann)[0].starts_with(r#"{"id":2,"error":{"code":10"#));
    }
    world.send(ann, &format!(r#"{{"id":2,"publish":{{"channel":"{long}","data":1}}}}"#));
    assert!(world.read(ann)[0].contains(r#""code":107"#));
    world.end();
}

#[test]
fn commands_that_wait_are_bounded_in_bytes() {
    let mut world = World::with_limits(Limits { backlog_bytes_max: 1000, ..Limits::default() });
    let ann = world.open();
    world.hold();
    world.send(ann, r#"{"id":1,"connect":{}}"#);
    world.send(ann, "{\"id\":2,\"subscribe\":{\"channel\":\"open:x\"}}\n{\"id\":3,\"unsubscribe\":{\"channel\":\"open:x\"}}");
    let frame = format!(r#"{{"id":4,"publish":{{"channel":"open:y","data":"{}"}}}}"#, "x".repeat(400));
    world.send(ann, &frame);
    assert!(world.hub.is_busy(ann));
    assert_eq!(world.code(ann), None);
    world.send(ann, &frame);
    world.send(ann, &frame);
    assert_eq!(world.code(ann), Some(3013));
    world.end();
}

#[test]
fn questions_that_wait_are_bounded_in_number_and_all_answered_in_the_end() {
    let mut world = World::with_limits(Limits { asks_per_client_max: 4, ..Limits::default() });
    let ann = world.connect("ann");
    world.hold();
    for command in 2..12 {
        world.send(ann, &format!(r#"{{"id":{command},"publish":{{"channel":"open:x","data":1}}}}"#));
    }
    assert_eq!(world.hub.census().asks, 4);
    assert!(world.hub.is_busy(ann));
    world.release();
    assert_eq!(world.read(ann).len(), 10);
    assert!(!world.hub.is_busy(ann));
    world.end();
}

/// A message that takes a good part of an outbox of 2,000 bytes.
const LARGE: &str = concat!(
    r#""0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"#,
    r#"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"#,
    r#"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789""#
);

fn small_outboxes() -> Limits {
    Limits { outbox_bytes_max: 2_000, ..Limits::default() }
}

#[test]
fn a_page_of_history_ends_before_it_outgrows_the_outbox_and_the_next_one_goes_on() {
    let mut world = World::with_limits(small_outboxes());
    for _ in 0..8 {
        world.publish("kept:x", LARGE);
    }
    let ann = world.connect("ann");
    let (mut offset, mut pages) = (0, 0);
    while offset < 8 {
        let since = format!(r#""since":{{"offset":{offset},"epoch":""}}"#);
        world.send(ann, &format!(r#"{{"id":2,"history":{{"channel":"kept:x","limit":-1,{since}}}}}"#));
        let page = world.read(ann).remove(0);
        assert!(page.len() <= 2_000, "{} bytes", page.len());
        let publications = page.matches(r#""data":"#).count() as u64;
        assert!((1..8).contains(&publications), "{page}");
        assert!(page.contains(&format!(r#""offset":{}"#, offset + publications)), "{page}");
        (offset, pages) = (offset + publications, pages + 1);
    }
    assert!((2..8).contains(&pages), "{pages} pages");
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn a_recovery_that_outgrows_the_outbox_is_not_one_and_the_client_stays() {
    let mut world = World::with_limits(small_outboxes());
    for _ in 0..8 {
        world.publish("kept:x", LARGE);
    }
    for (offset, recovered) in [(6, true), (0, false)] {
        let ann = world.connect("ann");
        let recover = format!(r#""recover":true,"offset":{offset}"#);
        world.send(ann, &format!(r#"{{"id":2,"subscribe":{{"channel":"kept:x",{recover}}}}}"#));
        let reply = world.read(ann).remove(0);
        assert_eq!(reply.contains(r#""recovered":true"#), recovered, "{reply}");
        assert!(reply.contains(r#""was_recovering":true"#), "{reply}");
        assert_eq!(world.code(ann), None);
    }
    world.end();
}

#[test]
fn server_side_recoveries_share_the_room_of_one_reply() {
    let mut world = World::with_limits(small_outboxes());
    let channels = ["kept:a", "kept:b"];
    for channel in channels {
        for _ in 0..3 {
            world.publish(channel, LARGE);
        }
    }
    let channels = channels.map(|name| (Channel::new(name), Grant::default())).to_vec();
    world.tokens.insert("ann", Ok(Credentials { user: "ann".into(), channels, ..Credentials::default() }));
    let ann = world.open();
    let subs = r#"{"kept:a":{"recover":true},"kept:b":{"recover":true}}"#;
    world.send(ann, &format!(r#"{{"id":1,"connect":{{"token":"ann","subs":{subs}}}}}"#));
    let reply = world.read(ann).remove(0);
    assert_eq!(reply.matches(r#""was_recovering":true"#).count(), 2, "{reply}");
    assert_eq!(reply.matches(r#""recovered":true"#).count(), 1, "{reply}");
    assert!(reply.len() <= 2_000, "{} bytes", reply.len());
    world.end();
}

#[test]
fn a_presence_that_outgrows_the_outbox_is_refused_and_can_still_be_counted() {
    let mut world = World::with_limits(small_outboxes());
    let ann = world.subscriber("ann", "chat:x");
    for _ in 0..12 {
        world.subscriber("bob", "chat:x");
        world.read(ann);
    }
    world.send(ann, r#"{"id":3,"presence":{"channel":"chat:x"}}"#);
    assert_eq!(world.read(ann), [r#"{"id":3,"error":{"code":106,"message":"limit exceeded"}}"#]);
    world.send(ann, r#"{"id":4,"presence_stats":{"channel":"chat:x"}}"#);
    assert!(world.read(ann)[0].contains(r#""num_clients":13"#));
    world.end();
}

#[test]
fn what_waits_for_a_reply_to_a_subscribe_is_bounded_in_bytes() {
    let mut world = World::with_limits(small_outboxes());
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"kept:x"}}"#);
    world.release_with_late_answers(|world| {
        for _ in 0..8 {
            world.publish("kept:x", LARGE);
        }
    });
    assert!(world.read(ann).last().unwrap().contains(r#""unsubscribe":{"code":2500"#));
    assert_eq!(world.code(ann), None);
    world.end();
}

#[test]
fn frames_that_wait_cost_more_than_their_bytes() {
    let mut world = World::with_limits(Limits { backlog_bytes_max: 1000, ..Limits::default() });
    let ann = world.open();
    world.hold();
    world.send(ann, "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"open:x\"}}");
    world.send(ann, r#"{"id":3,"unsubscribe":{"channel":"open:x"}}"#);
    let frames = (0..100).take_while(|_| {
        world.send(ann, "{}");
        world.code(ann).is_none()
    });
    assert!((5..20).contains(&frames.count()));
    assert_eq!(world.code(ann), Some(3013));
    world.end();
}

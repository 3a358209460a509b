use spanwire_hub::limits::Limits;

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

use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant, Order, Whom};
use spanwire_wire::UnsubscribeCode;

use crate::support::World;

fn unsubscribe(user: &str, channel: &str, code: UnsubscribeCode) -> Order {
    let whom = Whom { user: user.to_owned(), ..Whom::default() };
    Order::Unsubscribe { whom, channel: Some(Channel::new(channel)), code }
}

#[test]
fn the_answer_to_a_subscribe_that_was_ended_does_not_answer_the_next_one() {
    let mut world = World::new();
    for data in ["1", "2", "3"] {
        world.publish("kept:x", data);
    }
    let ann = world.connect("ann");
    world.hold();
    let resume = |id, offset| {
        format!(r#"{{"id":{id},"subscribe":{{"channel":"kept:x","recover":true,"offset":{offset}}}}}"#)
    };
    world.send(ann, &resume(2, 2));
    world.order(unsubscribe("ann", "kept:x", UnsubscribeCode::Server));
    world.read(ann);
    world.send(ann, &resume(3, 0));
    world.release();
    assert_eq!(world.heard(ann), ["1", "2", "3"]);
    world.end();
}

#[test]
fn the_answer_about_one_channel_is_never_told_in_another() {
    let mut world = World::new();
    world.publish("kept:secret", "1");
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, r#"{"id":2,"subscribe":{"channel":"kept:secret","recover":true,"offset":0}}"#);
    world.order(unsubscribe("ann", "kept:secret", UnsubscribeCode::Server));
    world.read(ann);
    world.send(ann, r#"{"id":3,"subscribe":{"channel":"kept:x","recover":true,"offset":0}}"#);
    world.release();
    let lines = world.read(ann);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains(r#""recovered":true"#) && !lines[0].contains("publications"), "{lines:?}");
    world.end();
}

#[test]
fn a_subscribe_that_is_ended_by_order_before_its_reply_is_answered_by_an_error() {
    let table = [
        (UnsubscribeCode::Server, r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#),
        (
            UnsubscribeCode::Insufficient,
            r#"{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}"#,
        ),
    ];
    for (code, reply) in table {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.hold();
        world.send(ann, r#"{"id":2,"subscribe":{"channel":"open:x"}}"#);
        world.order(unsubscribe("ann", "open:x", code));
        assert_eq!(world.read(ann), [reply]);
        world.release();
        assert!(world.read(ann).is_empty());
        world.end();
    }
}

#[test]
fn a_connect_does_not_wait_for_a_server_side_subscription_that_was_ended_meanwhile() {
    let mut world = World::new();
    let channels = ["open:a", "open:b"].map(|name| (Channel::new(name), Grant::default())).to_vec();
    world.tokens.insert("ann", Ok(Credentials { user: "ann".into(), channels, ..Credentials::default() }));
    for ended in [&["open:a"][..], &["open:a", "open:b"]] {
        let ann = world.open();
        world.hold();
        world.send(
            ann,
            "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n{\"id\":2,\"presence\":{\"channel\":\"open:a\"}}",
        );
        for channel in ended {
            world.order(unsubscribe("ann", channel, UnsubscribeCode::Server));
        }
        world.release();
        let lines = world.read(ann);
        assert!(lines[0].starts_with(r#"{"id":1,"connect":{"client""#), "{lines:?}");
        assert!(!lines[0].contains("open:a"), "{lines:?}");
        assert_eq!(lines[0].contains("open:b"), ended.len() == 1, "{lines:?}");
        assert!(lines[1].starts_with(r#"{"id":2,"error""#), "{lines:?}");
        assert!(!world.hub.is_busy(ann));
        world.gone(ann);
    }
    world.end();
}

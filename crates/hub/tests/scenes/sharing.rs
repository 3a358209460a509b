use std::sync::Arc;

use spanwire_hub::channel::Channel;
use spanwire_hub::delivery::Delivery;
use spanwire_hub::{Input, SessionId};
use spanwire_wire::Encoding;
use spanwire_wire::message::Publication;

use crate::support::World;

/// Publishes to this many subscribers. The results: where each one's message is, and where the node's is.
fn publish_to(subscribers: usize) -> (Vec<*const u8>, *const u8) {
    let mut world = World::new();
    let all: Vec<_> = (0..subscribers).map(|_| world.subscriber("ann", "open:x")).collect();
    let channel = Channel::new("open:x");
    let delivery = Delivery::new(Publication { data: "1".into(), ..Publication::default() }, None);
    world.turn(|world| {
        world.hub.handle(world.now, Input::Publication(channel.clone(), Arc::clone(&delivery)))
    });
    let message = |id: &SessionId| world.hub.outbox_mut(*id).unwrap().iter().next().unwrap().as_ptr();
    let messages = all.iter().map(message).collect();
    let of_the_node = delivery.push(&channel, Encoding::Json).unwrap().as_ptr();
    world.end();
    (messages, of_the_node)
}

#[test]
fn few_subscribers_share_the_bytes_of_the_node_and_many_share_those_of_their_shard() {
    for (subscribers, shares_with_node) in [(1, true), (7, true), (8, false), (40, false)] {
        let (messages, of_the_node) = publish_to(subscribers);
        assert!(messages.iter().all(|message| *message == messages[0]), "{subscribers}");
        assert_eq!(messages[0] == of_the_node, shares_with_node, "{subscribers}");
    }
}

#[test]
fn publications_of_one_turn_are_one_message_of_several_lines() {
    let mut world = World::new();
    let all = ["ann", "bob", "cid"].map(|user| world.subscriber(user, "kept:x"));
    world.turn(|world| {
        for data in ["1", "2", "3"] {
            world.publish("kept:x", data);
        }
    });
    for id in all {
        let messages = world.read(id);
        assert_eq!(messages.len(), 1, "{messages:?}");
        let lines: Vec<_> = messages[0].split('\n').collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| spanwire_wire::is_json(line.as_bytes())), "{lines:?}");
        assert!(lines[2].contains(r#""data":3,"offset":3"#), "{lines:?}");
    }
    world.end();
}

#[test]
fn what_is_joined_is_bounded_and_nothing_of_it_is_lost() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    let large: &'static str = format!("\"{}\"", "x".repeat(5_000)).leak();
    world.turn(|world| {
        for _ in 0..10 {
            world.publish("open:x", large);
        }
    });
    let messages = world.read(ann);
    assert!(
        messages.len() > 1 && messages.iter().all(|message| message.len() <= 16 << 10),
        "{}",
        messages.len()
    );
    assert_eq!(messages.join("\n").split('\n').count(), 10);
    world.end();
}

#[test]
fn joining_and_leaving_in_the_midst_of_a_turn_moves_nothing() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:x");
    let bob = world.connect("bob");
    world.turn(|world| {
        world.publish("kept:x", "1");
        world.send(ann, r#"{"id":3,"unsubscribe":{"channel":"kept:x"}}"#);
        world.publish("kept:x", "2");
    });
    let lines = world.read(ann);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(r#""data":1"#) && lines[1] == r#"{"id":3,"unsubscribe":{}}"#, "{lines:?}");
    world.turn(|world| {
        world.send(bob, r#"{"id":3,"subscribe":{"channel":"kept:x"}}"#);
        world.publish("kept:x", "3");
        world.publish("kept:x", "4");
    });
    assert!(world.heard(bob).is_empty(), "it was told a position behind all of that");
    world.publish("kept:x", "5");
    assert_eq!(world.heard(bob), ["5"]);
    world.end();
}

#[test]
fn a_binary_publication_among_others_ends_only_those_who_cannot_hear_it() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "open:x");
    let bob = world.subscriber("bob", "open:y");
    world.turn(|world| {
        world.publish("open:x", "1");
        world.publish("open:x", "\u{1}not json");
        world.publish("open:y", "2");
    });
    assert_eq!(world.code(ann), Some(3506));
    assert_eq!(world.heard(bob), ["2"]);
    world.end();
}

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
    world.hub.handle(world.now, Input::Publication(channel.clone(), Arc::clone(&delivery)));
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

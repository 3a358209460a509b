//! Counts the instructions that a message costs in the hub and the broker, from a client's frame to all outboxes.
//!
//! A clock is noise on a shared machine; a count is nearly the same each time. Build it, and run it under callgrind
//! twice, with no rounds and with some:
//!
//! ```text
//! cargo build --release -p spanwire-hub --example instructions
//! for n in 0 20; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/instructions $n
//! done
//! ```
//!
//! In each round every member of 100 rooms of ten publishes once; a turn takes one message of each of ten rooms. The
//! difference of the two figures after `Collected :`, divided by 1,000 for each round, is the cost of one message, and a
//! tenth of it that of a delivery.

use std::collections::HashMap;
use std::sync::Arc;

use spanwire_hub::broker::{
    Broker, BrokerEvent, BrokerRequest, Listener, MemoryBroker, MemoryLimits, Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{
    Answer, AskId, Config, Credentials, Deed, Hub, Input, Opening, Output, Question, SessionId,
};
use spanwire_wire::Encoding;

const ROOMS: usize = 100;
const MEMBERS: usize = 10;
/// Messages of a turn, each in another room: what comes together where rooms talk at a moderate rate.
const A_TURN: usize = 10;
const HERE: Listener = Listener(0);
const NOW: Now = Now { at: Instant::from_millis(0), unix_ms: 1_800_000_000_000 };

/// A hub and its broker, on one shard.
struct Shard {
    hub: Hub,
    broker: MemoryBroker,
    delivered: usize,
}

impl Shard {
    fn new() -> Self {
        let open = Permission { client: true, subscriber: true, anonymous: true };
        let bench = Namespace { subscribe: open, publish: open, ..Namespace::default() };
        let named = HashMap::from([("bench".to_owned(), Arc::new(bench))]);
        let namespaces = Namespaces { without_namespace: Arc::default(), named, personal: None };
        let config = Config { limits: Limits::default(), namespaces, version: String::new() };
        let broker = MemoryBroker::new(MemoryLimits::default(), [2; 32]);
        Self { hub: Hub::new(config, [1; 32]), broker, delivered: 0 }
    }

    fn seat(&mut self, room: usize) -> SessionId {
        let id = self.hub.open(NOW, Opening::new(Encoding::Json));
        self.hub.handle(NOW, Input::Frame(id, br#"{"id":1,"connect":{}}"#));
        self.end_turn();
        let subscribe = format!(r#"{{"id":2,"subscribe":{{"channel":"bench:{room}"}}}}"#);
        self.hub.handle(NOW, Input::Frame(id, subscribe.as_bytes()));
        self.end_turn();
        id
    }

    /// What a shard does when it has read what there was to read.
    fn end_turn(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Ask(ask, Question::Authenticate(_)) => {
                    let welcome = Answer::Credentials(Ok(Credentials::default()));
                    self.hub.handle(NOW, Input::Answer(ask, welcome));
                }
                Output::Ask(ask, Question::Broker(channel, request)) => {
                    self.submit(Ticket(ask.0), &channel, request)
                }
                Output::Tell(channel, Deed::Broker(request)) => {
                    self.submit(Ticket::NOBODY, &channel, request)
                }
                _ => {}
            }
        }
        while let Some(dirty) = self.hub.poll_dirty() {
            if let Some(outbox) = self.hub.outbox_mut(dirty) {
                self.delivered += outbox.len();
                outbox.consume(usize::MAX);
            }
        }
    }

    fn submit(&mut self, ticket: Ticket, channel: &Channel, request: BrokerRequest) {
        self.broker.submit(NOW, HERE, ticket, channel, request);
        while let Some((_, event)) = self.broker.poll() {
            match event {
                BrokerEvent::Answer(Ticket::NOBODY, _) => {}
                BrokerEvent::Answer(ticket, answer) => {
                    self.hub.handle(NOW, Input::Answer(AskId(ticket.0), Answer::Broker(answer)));
                }
                BrokerEvent::Publication(channel, delivery) => {
                    self.hub.handle(NOW, Input::Publication(channel, delivery));
                }
                _ => {}
            }
        }
    }
}

fn main() {
    let Some(rounds) = std::env::args().nth(1).map_or(Some(20), |count| count.parse::<usize>().ok()) else {
        println!("usage: instructions [rounds]");
        return;
    };
    let mut shard = Shard::new();
    let members: Vec<SessionId> = (0..ROOMS * MEMBERS).map(|seat| shard.seat(seat / MEMBERS)).collect();
    let data = "x".repeat(128);
    let frames: Vec<String> = (0..ROOMS)
        .map(|room| {
            format!(r#"{{"id":3,"publish":{{"channel":"bench:{room}","data":{{"text":"{data}"}}}}}}"#)
        })
        .collect();
    shard.delivered = 0;
    for _ in 0..rounds {
        // Neighbours in this order are in different rooms, as they would be on a wire.
        let speakers = (0..MEMBERS).flat_map(|seat| (0..ROOMS).map(move |room| (room, seat)));
        let speakers: Vec<(usize, usize)> = speakers.collect();
        for turn in speakers.chunks(A_TURN) {
            for &(room, seat) in turn {
                let speaker = members[room * MEMBERS + seat];
                shard.hub.handle(NOW, Input::Frame(speaker, frames[room].as_bytes()));
            }
            shard.end_turn();
        }
    }
    println!("{} messages, {} written to outboxes", rounds * members.len(), shard.delivered);
    println!("see the top of examples/instructions.rs for how to count what one of them costs");
}

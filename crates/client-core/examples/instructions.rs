//! Counts the instructions that a publication costs a client: from the frame to the event that the application is told.
//!
//! A clock is noise on a shared machine; a count is nearly the same each time. Build it, and run it under callgrind
//! twice, with no publications and with some:
//!
//! ```text
//! cargo build --release -p spanwire-client-core --example instructions
//! for n in 0 100000; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/instructions $n [protobuf]
//! done
//! ```
//!
//! The difference of the two figures after `Collected :`, divided by the publications, is the cost of one of 128 bytes in a
//! frame of its own.

use bytes::Bytes;
use spanwire_client_core::time::Instant;
use spanwire_client_core::{Client, Config, Encoding, Event, Input, Output, SubscribeOptions};
use spanwire_wire::message::{ConnectResult, Publication, SubscribeResult};
use spanwire_wire::{Batch, Outcome, Push, PushEvent, Reply, ServerMessage, encode_server_message};

const CHANNEL: &str = "bench:1";
const NOW: Instant = Instant::from_millis(0);

fn frame(encoding: Encoding, message: &ServerMessage) -> Bytes {
    let mut batch = Batch::new(encoding);
    batch.add(&encode_server_message(encoding, message));
    batch.take()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().and_then(|count| count.parse().ok()).expect("how many publications");
    let encoding = if arguments.next().is_some() { Encoding::Protobuf } else { Encoding::Json };
    let mut client = Client::new(Config { encoding, ..Config::default() }, [1; 32]);
    client.handle(NOW, Input::Connect);
    let options = SubscribeOptions::default();
    client.handle(NOW, Input::Subscribe { channel: CHANNEL.to_owned(), options });
    let Some(Output::Open(connection, _)) = client.poll_output() else { panic!("it wants a connection") };
    client.handle(NOW, Input::Opened(connection));
    let connected = Outcome::Connect(ConnectResult { client: "me".to_owned(), ..ConnectResult::default() });
    for (id, outcome) in [(1, connected), (2, Outcome::Subscribe(SubscribeResult::default()))] {
        let reply = frame(encoding, &ServerMessage::Reply(Reply { id, outcome }));
        client.handle(NOW, Input::Frame(connection, &reply));
    }
    let data = format!("{{\"n\":\"0000000001\",\"x\":\"{}\"}}", "x".repeat(103));
    assert_eq!(data.len(), 128);
    let publication = Publication { data: data.into(), ..Publication::default() };
    let push = Push::new(CHANNEL, PushEvent::Publication(publication.into()));
    let push = frame(encoding, &ServerMessage::Push(push));
    let mut heard = 0;
    for _ in 0..count {
        client.handle(NOW, Input::Frame(connection, &push));
        while let Some(output) = client.poll_output() {
            heard += u32::from(matches!(output, Output::Event(Event::Publication { .. })));
        }
    }
    assert_eq!(heard, count, "all of them were told");
}

//! What fan-out costs in a hub: hands so many publications to 1,000 members, each in a turn of its own, and says how many
//! were delivered. `fanout ROUNDS [FILTER]`; the members have the filter (JSON), if there is one.
//!
//! Instructions for each delivery, under `cargo build --release --example fanout`: what `valgrind --tool=callgrind
//! fanout 110` counts beyond `fanout 10`, divided by 100,000.

use std::collections::HashMap;
use std::sync::Arc;

use spanwire_hub::broker::BrokerAnswer;
use spanwire_hub::channel::Channel;
use spanwire_hub::delivery::Delivery;
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{Answer, Config, Credentials, Hub, Input, Opening, Output, Question};
use spanwire_wire::Encoding;
use spanwire_wire::message::Publication;

const MEMBERS: usize = 1_000;
const PAYLOAD_BYTES: usize = 128;
const NOW: Now = Now { at: Instant::from_millis(0), unix_ms: 1_800_000_000_000 };

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().and_then(|rounds| rounds.parse().ok()).expect("how many rounds");
    let filter = arguments.next();
    let mut hub = Hub::new(config(), [1; 32]);
    for _ in 0..MEMBERS {
        join(&mut hub, filter.as_deref());
    }
    assert_eq!(hub.census().subscriptions, MEMBERS, "the filter is a filter");
    let channel = Channel::new("open:x");
    let mut delivered = 0;
    for _ in 0..rounds {
        let tags =
            [("team", "red"), ("price", "9.50")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let data = format!("\"{}\"", "x".repeat(PAYLOAD_BYTES - 2)).into();
        let publication = Publication { data, tags: tags.into(), ..Publication::default() };
        hub.handle(NOW, Input::Publication(channel.clone(), Delivery::new(publication, None)));
        answer(&mut hub);
        delivered += drain(&mut hub);
    }
    println!("{delivered} delivered");
}

fn join(hub: &mut Hub, filter: Option<&str>) {
    let id = hub.open(NOW, Opening::new(Encoding::Json));
    hub.handle(NOW, Input::Frame(id, br#"{"id":1,"connect":{}}"#));
    answer(hub);
    let filter = filter.map(|filter| format!(r#","tf":{filter}"#)).unwrap_or_default();
    let frame = format!(r#"{{"id":2,"subscribe":{{"channel":"open:x"{filter}}}}}"#);
    hub.handle(NOW, Input::Frame(id, frame.as_bytes()));
    answer(hub);
    drain(hub);
}

/// Everybody reads everything; how many messages that were.
fn drain(hub: &mut Hub) -> usize {
    let mut messages = 0;
    while let Some(dirty) = hub.poll_dirty() {
        let outbox = hub.outbox_mut(dirty).expect("it has news");
        messages += outbox.len();
        outbox.consume(usize::MAX);
    }
    messages
}

/// A world in which everybody is welcome.
fn answer(hub: &mut Hub) {
    while let Some(output) = hub.poll_output() {
        let Output::Ask(ask, question) = output else { continue };
        let answer = match question {
            Question::Authenticate(_) => Answer::Credentials(Ok(Credentials::default())),
            _ => Answer::Broker(BrokerAnswer::Subscribed { top: None, recalled: None }),
        };
        hub.handle(NOW, Input::Answer(ask, answer));
    }
}

fn config() -> Config {
    let subscribe = Permission { client: true, subscriber: false, anonymous: true };
    let open = Namespace { subscribe, allow_tags_filter: true, ..Namespace::default() };
    let named = HashMap::from([("open".to_owned(), Arc::new(open))]);
    let namespaces = Namespaces { without_namespace: Arc::default(), named, personal: None };
    Config { limits: Limits::default(), namespaces, version: "example".to_owned() }
}

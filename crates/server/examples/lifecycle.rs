//! Counts the instructions that the lives of clients cost in the hub, and what it costs on top to tell a backend of them.
//!
//! ```text
//! cargo build --release -p spanwire --example lifecycle
//! for how in untold told; do for n in 0 1000; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/lifecycle $how $n
//! done; done
//! ```
//!
//! In each life a client connects, subscribes to a channel where nobody else is, and is gone: six events. What one life costs
//! is the difference between 1,000 and none, divided by 1,000.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use spanwire::events::{
    BatchLimits, Errand, Graces, Kind, Kinds, Moment, Outcome, QueueLimits, Telling, TellingSettings,
};
use spanwire_hub::broker::{
    Broker, BrokerEvent, BrokerRequest, Listener, MemoryBroker, MemoryLimits, Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::Reports;
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{Answer, AskId, Config, Credentials, Deed, Hub, Input, Opening, Output, Question};
use spanwire_wire::Encoding;

const HERE: Listener = Listener(0);
const NOW: Now = Now { at: Instant::from_millis(0), unix_ms: 1_800_000_000_000 };

/// One shard, and what it tells, if it does.
struct Stage {
    hub: Hub,
    broker: MemoryBroker,
    telling: Option<Telling>,
    now: Moment,
    bytes_told: usize,
}

impl Stage {
    fn new(is_told: bool) -> Self {
        let open = Permission { client: true, subscriber: true, anonymous: true };
        let bench = Namespace { subscribe: open, ..Namespace::default() };
        let named = HashMap::from([("bench".to_owned(), Arc::new(bench))]);
        let namespaces = Namespaces { without_namespace: Arc::default(), named, personal: None };
        let config = Config { limits: Limits::default(), namespaces, version: String::new() };
        let reports = Reports { connections: is_told, subscriptions: is_told };
        let telling = || Telling::new(settings(), "bench", "e", NOW.unix_ms, [3; 32]);
        Self {
            hub: Hub::new(config, [1; 32]).reporting(reports),
            broker: MemoryBroker::new(MemoryLimits::default(), [2; 32]),
            telling: is_told.then(telling),
            now: Moment { at: std::time::Instant::now(), unix_ms: NOW.unix_ms },
            bytes_told: 0,
        }
    }

    /// A client comes, subscribes and is gone.
    fn live(&mut self) {
        let id = self.hub.open(NOW, Opening::new(Encoding::Json));
        self.hub.handle(NOW, Input::Frame(id, br#"{"id":1,"connect":{}}"#));
        self.end_turn();
        self.hub.handle(NOW, Input::Frame(id, br#"{"id":2,"subscribe":{"channel":"bench:room"}}"#));
        self.end_turn();
        self.hub.handle(NOW, Input::Gone(id));
        self.end_turn();
        self.bring();
    }

    fn end_turn(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Ask(ask, Question::Authenticate(_)) => {
                    let user = Credentials { user: "ann".to_owned(), ..Credentials::default() };
                    self.hub.handle(NOW, Input::Answer(ask, Answer::Credentials(Ok(user))));
                }
                Output::Ask(ask, Question::Broker(channel, request)) => {
                    self.submit(Ticket(ask.0), &channel, request);
                }
                Output::Tell(channel, Deed::Broker(request)) => {
                    self.submit(Ticket::NOBODY, &channel, request);
                }
                Output::Happened(happening) => {
                    if let Some(telling) = &mut self.telling {
                        telling.happened(self.now, &happening);
                    }
                }
                _ => {}
            }
        }
        while let Some(dirty) = self.hub.poll_dirty() {
            if let Some(outbox) = self.hub.outbox_mut(dirty) {
                outbox.consume(usize::MAX);
            }
        }
    }

    /// What the courier does, but for the request itself.
    fn bring(&mut self) {
        let Some(telling) = &mut self.telling else { return };
        while let Errand::Bring(body) = telling.next(self.now.at, false) {
            self.bytes_told += body.len();
            telling.ended(Outcome::Taken);
        }
    }

    fn submit(&mut self, ticket: Ticket, channel: &Channel, request: BrokerRequest) {
        self.broker.submit(NOW, HERE, ticket, channel, request);
        while let Some((_, event)) = self.broker.poll() {
            if let BrokerEvent::Answer(ticket, answer) = event
                && ticket != Ticket::NOBODY
            {
                self.hub.handle(NOW, Input::Answer(AskId(ticket.0), Answer::Broker(answer)));
            }
        }
    }
}

/// As it is by default.
fn settings() -> TellingSettings {
    TellingSettings {
        kinds: Kinds::of(Kind::CHOSEN),
        channels: Vec::new(),
        batch: BatchLimits { events_max: 200, bytes_max: 256 << 10, interval: Duration::from_millis(100) },
        queue: QueueLimits { events_max: 100_000, bytes_max: 64 << 20 },
        graces: Graces::default(),
        retry_wait_max: Duration::from_secs(20),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let is_told = match arguments.next().as_deref() {
        Some("told") => Some(true),
        Some("untold") => Some(false),
        _ => None,
    };
    let lives = arguments.next().and_then(|count| count.parse::<usize>().ok());
    let (Some(is_told), Some(lives)) = (is_told, lives) else {
        println!("usage: lifecycle told|untold LIVES");
        return;
    };
    let mut stage = Stage::new(is_told);
    for _ in 0..lives {
        stage.live();
    }
    println!("{lives} lives, {} bytes told", stage.bytes_told);
}

//! What a session costs in a hub: heap bytes for each of 100,000, by `cargo run --release --example memory`.
#![allow(unsafe_code, reason = "an allocator that counts is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use spanwire_hub::broker::{BrokerAnswer, HistoryOptions};
use spanwire_hub::channel::{Epoch, Position};
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{Answer, Config, Credentials, Hub, Input, Opening, Output, Question};
use spanwire_wire::Encoding;

/// The system's allocator, and how many bytes it has given out.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; counting touches nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones wanted here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones wanted here.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SESSIONS: usize = 100_000;
const NOW: Now = Now { at: Instant::from_millis(0), unix_ms: 1_800_000_000_000 };

fn main() {
    println!("heap bytes in the hub for each of {SESSIONS} connected sessions");
    measure("without a subscription", |_| None);
    measure("all subscribed to one recoverable channel", |_| Some("kept:all".to_owned()));
    measure("each subscribed to a recoverable channel of its own", |number| Some(format!("kept:{number}")));
}

fn measure(case: &str, channel: impl Fn(usize) -> Option<String>) {
    let before = LIVE.load(Ordering::Relaxed);
    let mut hub = Hub::new(config(), [1; 32]);
    for number in 0..SESSIONS {
        let id = hub.open(NOW, Opening::new(Encoding::Json));
        hub.handle(NOW, Input::Frame(id, br#"{"id":1,"connect":{}}"#));
        if let Some(channel) = channel(number) {
            let frame = format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#);
            hub.handle(NOW, Input::Frame(id, frame.as_bytes()));
        }
        answer(&mut hub);
        while let Some(dirty) = hub.poll_dirty() {
            hub.outbox_mut(dirty).expect("it has news").consume(usize::MAX);
        }
    }
    let census = hub.census();
    assert_eq!((census.clients, census.asks), (SESSIONS, 0));
    println!("{:>6}  {case}", (LIVE.load(Ordering::Relaxed) - before) / SESSIONS);
}

/// A world in which everybody is welcome and every stream stands at its beginning.
fn answer(hub: &mut Hub) {
    let epoch = Epoch::new("epoch");
    while let Some(output) = hub.poll_output() {
        let Output::Ask(ask, question) = output else { continue };
        let answer = match question {
            Question::Authenticate(_) => {
                Answer::Credentials(Ok(Credentials { user: "4711".to_owned(), ..Credentials::default() }))
            }
            _ => {
                let top = Some(Position { offset: 0, epoch: epoch.clone() });
                Answer::Broker(BrokerAnswer::Subscribed { top, recalled: None })
            }
        };
        hub.handle(NOW, Input::Answer(ask, answer));
    }
}

fn config() -> Config {
    let history =
        HistoryOptions { size: 10, ttl: Duration::from_secs(60), meta_ttl: Duration::from_secs(600) };
    let all = Permission { client: true, subscriber: true, anonymous: true };
    let kept =
        Namespace { history: Some(history), force_recovery: true, subscribe: all, ..Namespace::default() };
    let named = HashMap::from([("kept".to_owned(), Arc::new(kept))]);
    let namespaces = Namespaces { without_namespace: Arc::default(), named, personal: None };
    Config { limits: Limits::default(), namespaces, version: "example".to_owned() }
}

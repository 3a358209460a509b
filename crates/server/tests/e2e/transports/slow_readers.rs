//! Clients at the far end of a slow line, in channels that may leave something out for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::interval;

use super::carrier::Carrier;
use super::client::Client;
use crate::support::http;
use crate::support::proxy::{Line, Proxy};
use crate::support::server::Server;
use crate::support::until::{until, within};

/// How many publications go out at a time: together much less than from where on somebody lags.
const AT_A_TIME: u64 = 10;
const BYTES: usize = 2_000;
const KEYS: u64 = 20;
/// How fast it is published at most: 2 MB/s.
const PERIOD: Duration = Duration::from_millis(10);
/// How often the slow client lags, and is given the rest, before nothing more is published; at least.
const LAGS: u64 = 2;
/// What all outboxes and lots of this server together hold is far below it.
const GROWTH_MAX: u64 = 6 << 20;
/// How often it is published at least: twice as much as that in all.
const ROUNDS_MIN: u64 = 2 * GROWTH_MAX / (AT_A_TIME * BYTES as u64);
/// Somebody who has not lagged by then reads too fast.
const ROUNDS_MAX: u64 = 10 * ROUNDS_MIN;
/// Of a client that is sent everything, the last of what is published would be more than a minute behind.
const AGE_MAX: Duration = Duration::from_secs(30);

async fn serve() -> Server {
    let open = json!({
        "history_size": 1, "history_ttl": "300s", "force_recovery": true,
        "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
    });
    let with = |name: &str, delivery: Value| {
        let mut namespace = open.clone();
        namespace["name"] = json!(name);
        namespace["delivery"] = delivery;
        namespace
    };
    let mut ticks = with("ticks", json!("conflate"));
    ticks["conflate_by"] = json!("of");
    let namespaces = json!([ticks, with("newest", json!("drop_oldest"))]);
    // A ping would wait in the same queue, and the slow one would be let go for its late pong; that is another subject.
    let client = json!({ "queue_max_size": 256 << 10, "ping_interval": "0s" });
    Server::serve(json!({ "client": client, "channel": { "namespaces": namespaces } })).await
}

/// A client that tells gaps.
async fn subscriber(address: SocketAddr, carrier: Carrier, channel: &str) -> Client {
    let request = json!({ "headers": { "spanwire": "1" } });
    let mut client = Client::connect_as(address, carrier, request).await;
    client.call("subscribe", json!({ "channel": channel })).await;
    client
}

/// Publishes one after the other, to each key in turn; `round` is part of what is said.
async fn publish(server: &Server, channel: &str, round: u64) {
    let filler = "x".repeat(BYTES);
    let one = |number: u64| {
        let key = (round * AT_A_TIME + number) % KEYS;
        let data = json!({ "key": key, "round": round, "filler": filler });
        json!({ "publish": { "channel": channel, "data": data, "tags": { "of": key.to_string() } } })
    };
    let commands: Vec<_> = (0..AT_A_TIME).map(one).collect();
    let answer = http::api(server.address, "batch", &json!({ "commands": commands })).await;
    assert!(answer["error"].is_null(), "{answer}");
}

async fn skipped(server: &Server, channel: &str) -> u64 {
    let (namespace, _) = channel.split_once(':').expect("it is in a namespace");
    let metrics = http::get(server.address, "/metrics").await.body;
    let sample = format!("spanwire_publications_skipped_total{{namespace=\"{namespace}\",delivery=");
    let line = metrics.lines().find(|line| line.starts_with(&sample));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

/// What a slow client has heard.
#[derive(Default)]
struct Heard {
    offset: u64,
    count: u64,
    /// The round of the latest of each key.
    latest: BTreeMap<u64, u64>,
}

impl Heard {
    fn take(&mut self, publication: &Value) -> u64 {
        let offset = publication["offset"].as_u64().expect("a channel with history has offsets");
        assert!(offset > self.offset, "offset {offset} comes after {}", self.offset);
        self.offset = offset;
        self.count += 1;
        let (key, round) = (&publication["data"]["key"], &publication["data"]["round"]);
        let (key, round) = (key.as_u64().expect("a key"), round.as_u64().expect("a round"));
        self.latest.insert(key, round);
        round
    }
}

/// Publishes as fast as a fast client hears, which hears everything, until a slow one has lagged some times; and reads on
/// until that has the last. The result is what it has heard, and how many rounds there were.
async fn play(server: &Server, carrier: Carrier, channel: &str) -> (Heard, u64) {
    // 16 KiB at a time: 160 kB/s, a twelfth of what is published.
    let line = Proxy::over_ethernet_to(server.address).await;
    let mut fast = subscriber(server.address, Carrier::WebSocketJson, channel).await;
    let mut slow = subscriber(line.address, carrier, channel).await;
    line.set(Line::Slow(Duration::from_millis(100)));
    let before = server.resident_bytes();
    let (told, mut comes) = mpsc::unbounded_channel();
    let slow = tokio::spawn(async move {
        loop {
            let push = slow.push("pub").await;
            if told.send((push["pub"].clone(), Instant::now())).is_err() {
                return;
            }
        }
    });
    let (mut heard, mut began, mut lags, mut left_out) = (Heard::default(), Vec::new(), 0, 0);
    let mut periods = interval(PERIOD);
    while lags < LAGS || (began.len() as u64) < ROUNDS_MIN {
        assert!(!slow.is_finished(), "the slow one stays");
        periods.tick().await;
        let round = began.len() as u64;
        assert!(round < ROUNDS_MAX, "{ROUNDS_MAX} rounds, and the slow one lagged {lags} times");
        began.push(Instant::now());
        publish(server, channel, round).await;
        for number in 1..=AT_A_TIME {
            let push = fast.push("pub").await;
            assert_eq!(push["pub"]["offset"], round * AT_A_TIME + number, "the fast one hears everything");
        }
        let now = if round.is_multiple_of(10) { skipped(server, channel).await } else { left_out };
        lags += u64::from(now > left_out);
        left_out = now;
    }
    let growth = server.resident_bytes().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more than before");
    let published = began.len() as u64 * AT_A_TIME;
    while heard.offset < published {
        let (publication, at) = within("what is newest", comes.recv()).await.expect("the slow one stays");
        let age = at - began[heard.take(&publication) as usize];
        assert!(age < AGE_MAX, "{carrier:?} hears what is {age:?} old");
    }
    slow.abort();
    until("all that was left out to be counted", async || {
        (heard.count + skipped(server, channel).await == published).then_some(())
    })
    .await;
    assert!(heard.count < published, "something was left out");
    (heard, published)
}

async fn plays_the_latest_of_each_key_over(carrier: Carrier) {
    let server = serve().await;
    let (heard, published) = play(&server, carrier, "ticks:x").await;
    let latest = |key: u64| (0..published).rev().find(|number| number % KEYS == key).expect("each has one");
    let expected: BTreeMap<_, _> = (0..KEYS).map(|key| (key, latest(key) / AT_A_TIME)).collect();
    assert_eq!(heard.latest, expected);
}

#[tokio::test]
async fn a_slow_reader_stays_and_hears_the_latest_of_each_key() {
    plays_the_latest_of_each_key_over(Carrier::WebSocketJson).await;
}

#[tokio::test]
async fn a_slow_reader_of_protobuf_stays_and_hears_the_latest_of_each_key() {
    plays_the_latest_of_each_key_over(Carrier::WebSocketProtobuf).await;
}

#[tokio::test]
async fn where_the_newest_count_a_slow_reader_stays_and_hears_those() {
    let server = serve().await;
    play(&server, Carrier::WebSocketJson, "newest:x").await;
}

//! Many come and go, and nothing of them stays.

use std::time::{Duration, Instant};

use serde_json::json;
use spanwire::cli::torture::{Plan, Storm};

use super::stage::{crowd, meanwhile, nothing_is_left, settle};
use crate::support::peer::Peer;
use crate::support::server::Server;

/// How many come and go; in a release build, enough for a leak of a hundred bytes to show.
const VISITS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

/// How many are there at a time.
const AT_A_TIME: usize = 20;

/// How much may stay of each visit after the first quarter, in bytes: a tenth of what a connection costs.
const LEFT_BYTES_MAX: u64 = 50;

/// By how much an allocator may change its mind meanwhile, in bytes.
const NOISE_BYTES_MAX: u64 = 512 << 10;

/// Somebody who connects, subscribes, says something, hears it, and leaves; every third one without a word.
async fn visit(server: &Server, room: &str, number: usize) {
    let mut peer = Peer::connect(server.address).await;
    let channel = format!("{room} {number}");
    peer.call("subscribe", json!({ "channel": channel })).await;
    peer.call("publish", json!({ "channel": channel, "data": number })).await;
    assert_eq!(peer.publication().await, json!(number));
    if !number.is_multiple_of(3) {
        peer.leave().await;
    }
}

async fn visits(server: &Server, room: &str, numbers: std::ops::Range<usize>) {
    for number in numbers.step_by(AT_A_TIME) {
        let together = (number..number + AT_A_TIME).map(|number| visit(server, room, number));
        futures_util::future::join_all(together).await;
    }
}

#[tokio::test]
async fn of_thousands_who_come_and_go_nothing_stays() {
    // Histories are kept for a while after everybody has left; here they are not kept at all.
    let server = Server::serve(json!({ "channel": { "without_namespace": {
        "history_size": null, "history_ttl": null, "force_recovery": null,
    } } }))
    .await;
    visits(&server, "room", 0..VISITS / 4).await;
    nothing_is_left(&server).await;
    let before = server.resident_bytes();
    visits(&server, "room", VISITS / 4..VISITS).await;
    nothing_is_left(&server).await;
    let grown = server.resident_bytes().saturating_sub(before);
    let allowed = NOISE_BYTES_MAX + LEFT_BYTES_MAX * (VISITS - VISITS / 4) as u64;
    assert!(grown <= allowed, "{grown} bytes stayed of {VISITS} visits");
}

/// How many minutes a soak takes, if nobody says otherwise in `SPANWIRE_SOAK_MINUTES`. Five are needed: in the first
/// quarter everything must have come to its bound that has one, such as the keys of publishes.
const SOAK_MINUTES: u32 = 10;

/// How much memory a soak may gain between its first quarter and its end, in bytes.
const SOAK_BYTES_MAX: u64 = 8 << 20;

/// More than ten million deliveries and a million visits in ten minutes, in a release build.
#[tokio::test]
#[ignore = "takes minutes: cargo test --release -p spanwire --test e2e soak -- --ignored --nocapture"]
async fn a_soak_leaves_memory_flat_and_keeps_every_promise() {
    let said = std::env::var("SPANWIRE_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let quarter = said.unwrap_or(SOAK_MINUTES) * Duration::from_secs(60) / 4;
    let server = Server::serve(json!({})).await;
    let mut plan = Plan::new(200, 4, "soak ");
    plan.channels_per_client = 1;
    let crowd = crowd(server.address, &plan).await;
    let (mut visited, mut resident) = (0, Vec::new());
    meanwhile(&crowd, Storm::new(1, 600.0, 20.0), async {
        for _ in 0..4 {
            let began = Instant::now();
            while began.elapsed() < quarter {
                visits(&server, "plain:room", visited..visited + 1000).await;
                visited += 1000;
            }
            resident.push(server.resident_bytes());
        }
    })
    .await;
    settle(&crowd).await;
    println!("{visited} visits, {:?}, resident after each quarter {resident:?}", crowd.tally());
    crowd.leave().await;
    nothing_is_left(&server).await;
    let grown = resident[3].saturating_sub(resident[0]);
    assert!(grown <= SOAK_BYTES_MAX, "{grown} bytes were gained");
}

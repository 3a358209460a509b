//! Many come and go, and nothing of them stays.

use serde_json::json;

use super::stage::nothing_is_left;
use crate::support::peer::Peer;
use crate::support::server::Server;

/// How many come and go; in a release build, enough for a leak of a hundred bytes to show.
const VISITS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

/// How many are there at a time.
const AT_A_TIME: usize = 20;

/// How much may stay of all visits after the first quarter, in bytes for each.
const LEFT_BYTES_MAX: u64 = 200;

/// Somebody who connects, subscribes, says something, hears it, and leaves; every third one without a word.
async fn visit(server: &Server, number: usize) {
    let mut peer = Peer::connect(server.address).await;
    let channel = format!("room {number}");
    peer.call("subscribe", json!({ "channel": channel })).await;
    peer.call("publish", json!({ "channel": channel, "data": number })).await;
    assert_eq!(peer.publication().await, json!(number));
    if !number.is_multiple_of(3) {
        peer.leave().await;
    }
}

async fn visits(server: &Server, numbers: std::ops::Range<usize>) {
    for number in numbers.step_by(AT_A_TIME) {
        let together = (number..number + AT_A_TIME).map(|number| visit(server, number));
        futures_util::future::join_all(together).await;
    }
    nothing_is_left(server).await;
}

#[tokio::test]
async fn of_thousands_who_come_and_go_nothing_stays() {
    // Histories are kept for a while after everybody has left; here they are not kept at all.
    let server = Server::serve(json!({ "channel": { "without_namespace": {
        "history_size": null, "history_ttl": null, "force_recovery": null,
    } } }))
    .await;
    visits(&server, 0..VISITS / 4).await;
    let before = server.resident_bytes();
    visits(&server, VISITS / 4..VISITS).await;
    let grown = server.resident_bytes().saturating_sub(before);
    let allowed = LEFT_BYTES_MAX * (VISITS - VISITS / 4) as u64;
    assert!(grown <= allowed, "{grown} bytes stayed of {VISITS} visits");
}

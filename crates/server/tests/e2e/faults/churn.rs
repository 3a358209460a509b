//! Many come and go, and nothing of them stays.

use serde_json::json;

use super::stage::nothing_is_left;
use crate::support::peer::Peer;
use crate::support::server::Server;

/// How many come and go; in a release build, enough for a leak of a hundred bytes to show.
const VISITS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

/// How many are there at a time.
const AT_A_TIME: usize = 20;

/// How much may stay of each visit, in bytes: a tenth of what a connection costs.
const LEFT_BYTES_MAX: u64 = 50;

/// How many times they come. What leaks stays each time; what an allocator keeps for the next time does not.
const TIMES: usize = 8;

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

/// What a server holds when everybody has come once more, and left.
async fn resident_after(server: &Server, time: usize) -> u64 {
    visits(server, "room", time * VISITS..(time + 1) * VISITS).await;
    nothing_is_left(server).await;
    server.resident_bytes()
}

#[tokio::test]
async fn of_thousands_who_come_and_go_nothing_stays() {
    // Histories are kept for a while after everybody has left; here they are not kept at all.
    let server = Server::serve(json!({ "channel": { "without_namespace": {
        "history_size": null, "history_ttl": null, "force_recovery": null,
    } } }))
    .await;
    let mut resident = vec![resident_after(&server, 0).await];
    for time in 1..TIMES {
        resident.push(resident_after(&server, time).await);
        if resident[time] <= resident[time - 1] + LEFT_BYTES_MAX * VISITS as u64 {
            return;
        }
    }
    panic!("of {VISITS} visits something stays each time: {resident:?} bytes");
}

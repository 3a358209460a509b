//! SIGTERM: everyone is told, and then it is over.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::peer::Peer;
use crate::support::server::Server;

#[tokio::test]
async fn every_client_is_told_and_the_process_ends_well() {
    let mut server = Server::serve(json!({ "engine": { "shards": 2 } })).await;
    let mut peers = Vec::new();
    for _ in 0..20 {
        peers.push(Peer::subscribe(server.address, "square").await);
    }
    peers.push(Peer::open(server.address).await);
    let asked = Instant::now();
    server.terminate();
    for peer in &mut peers {
        assert_eq!(peer.closed().await, (3001, "shutdown".to_owned()));
    }
    assert!(server.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(5), "nobody has to be waited for: {:?}", asked.elapsed());
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn clients_that_understand_are_told_different_moments_to_come_back_at() {
    let mut server = Server::serve(json!({ "shutdown": { "return_rate": 10 } })).await;
    let mut peers = Vec::new();
    for _ in 0..20 {
        peers.push(Peer::connect_as(server.address, json!({ "headers": { "spanwire": "1" } })).await);
    }
    server.terminate();
    let mut waits = std::collections::BTreeSet::new();
    for peer in &mut peers {
        let (code, reason) = peer.closed().await;
        let wait = reason.strip_prefix("shutdown, retry in ").and_then(|told| told.strip_suffix(" ms"));
        let wait: u64 = wait.and_then(|wait| wait.parse().ok()).unwrap_or_else(|| panic!("{reason}"));
        assert_eq!(code, 3001);
        assert!(wait <= 2_000, "20 clients at 10 a second: {wait}");
        waits.insert(wait);
    }
    assert!(waits.len() > 10, "they would come together: {waits:?}");
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn what_was_acknowledged_is_delivered_before_the_end() {
    let mut server = Server::serve(json!({})).await;
    let mut reader = Peer::subscribe(server.address, "square").await;
    let mut writer = Peer::connect(server.address).await;
    for n in 0..50 {
        writer.call("publish", json!({ "channel": "square", "data": n })).await;
    }
    server.terminate();
    let heard = reader.publications(50).await;
    assert!(heard.iter().enumerate().all(|(n, data)| data == n));
    assert_eq!(reader.closed().await.0, 3001);
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn clients_that_do_not_let_go_do_not_outlast_the_grace() {
    let grace = Duration::from_secs(2);
    let mut server = Server::serve(json!({ "shutdown": { "timeout": "2s" } })).await;
    // Neither reads, so neither answers the close; one has not even finished its handshake.
    let _silent = Peer::subscribe(server.address, "square").await;
    let _knocking = TcpStream::connect(server.address).await.expect("the server accepts");
    let asked = Instant::now();
    server.terminate();
    assert!(server.ended().await.success());
    // Ending takes no time of its own; the rest is what a busy machine may need.
    assert!(asked.elapsed() < grace + Duration::from_secs(5), "{:?}", asked.elapsed());
}

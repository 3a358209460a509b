//! Peers that say nothing, read nothing, or die without a word.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::server::Server;
use crate::support::until::{until, within};

/// Heartbeats as fast as they may be configured.
fn fast_heartbeat() -> Value {
    json!({ "client": { "ping_interval": "2s", "pong_timeout": "1s" } })
}

/// How many connections are in a channel, by the server's own account.
async fn present(server: &Server, channel: &str) -> usize {
    let answer = http::api(server.address, "presence", &json!({ "channel": channel })).await;
    answer["result"]["presence"].as_object().expect("presence is a map").len()
}

async fn until_present(server: &Server, channel: &str, count: usize) {
    until(&format!("{count} in {channel}"), async || (present(server, channel).await == count).then_some(()))
        .await;
}

#[tokio::test]
async fn a_client_that_never_connects_is_stale() {
    let server = Server::serve(json!({ "client": { "stale_close_delay": "1s" } })).await;
    let mut peer = Peer::open(server.address).await;
    assert_eq!(peer.closed().await, (3502, "stale".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_let_go() {
    let server = Server::serve(fast_heartbeat()).await;
    let mut peer = Peer::connect(server.address).await;
    peer.answers_pings = false;
    assert_eq!(peer.closed().await, (3012, "no pong".to_owned()));
}

#[tokio::test]
async fn only_a_pong_answers_a_ping() {
    let server = Server::serve(fast_heartbeat()).await;
    let mut peer = Peer::connect(server.address).await;
    peer.ping().await;
    peer.call("presence_stats", json!({ "channel": "square" })).await;
    assert_eq!(peer.closed().await.0, 3012);
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let server = Server::serve(fast_heartbeat()).await;
    let mut peer = Peer::connect(server.address).await;
    for _ in 0..3 {
        peer.ping().await;
        peer.text("{}").await;
    }
    peer.call("presence_stats", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn a_client_that_dies_without_a_word_leaves_its_channels() {
    let server = Server::serve(fast_heartbeat()).await;
    let proxy = Proxy::to(server.address).await;
    let mut watcher = Peer::subscribe(server.address, "square").await;
    for how in [Cut::Reset, Cut::Close] {
        let _peer = Peer::subscribe(proxy.address, "square").await;
        until_present(&server, "square", 2).await;
        proxy.cut(how);
        watcher.push("leave").await;
        until_present(&server, "square", 1).await;
    }
    // In a tunnel nothing is closed: only the missing pong tells.
    let _peer = Peer::subscribe(proxy.address, "square").await;
    until_present(&server, "square", 2).await;
    proxy.set(Line::Silent);
    watcher.push("leave").await;
    until_present(&server, "square", 1).await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let server = Server::serve(json!({})).await;
    let given_up = async |beginning: &str| {
        let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
        stream.write_all(beginning.as_bytes()).await.expect("the server reads");
        let mut rest = Vec::new();
        // Whether it answers 408 or not, it closes.
        within("the server to give up", stream.read_to_end(&mut rest))
            .await
            .expect("it closes in good order");
    };
    tokio::join!(given_up(""), given_up("GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgr"));
}

#[tokio::test]
async fn a_client_that_never_reads_is_slow_and_costs_no_more_than_its_outbox() {
    const READERS: u64 = 20;
    let server = Server::serve(json!({ "client": { "queue_max_size": 256 * 1024 } })).await;
    let mut other = Peer::subscribe(server.address, "plain:square").await;
    let mut deaf = Vec::new();
    for _ in 0..READERS {
        deaf.push(deaf_subscriber(&server).await);
    }
    let before = server.resident_bytes();
    // More than any kernel buffers for one connection, so each of them must overflow.
    let piece = "x".repeat(32 * 1024);
    for n in 0..1000 {
        publish(&server, json!({ "n": n, "text": piece })).await;
        assert_eq!(other.publication().await["n"], n);
    }
    until_disconnects(&server, 3008, READERS).await;
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "31 MiB were published, and {grown} bytes of memory went with them");
}

#[tokio::test]
async fn a_client_that_stops_reading_is_let_go_before_its_outbox_is_full() {
    let patient = json!({ "client": { "queue_max_size": 1 << 28 }, "websocket": { "write_timeout": "1s" } });
    let server = Server::serve(patient).await;
    let mut other = Peer::subscribe(server.address, "plain:square").await;
    let _deaf = deaf_subscriber(&server).await;
    let piece = "x".repeat(60 * 1024);
    for n in 0..300 {
        publish(&server, json!({ "n": n, "text": piece })).await;
        assert_eq!(other.publication().await["n"], n);
    }
    until_disconnects(&server, 3009, 1).await;
}

async fn publish(server: &Server, data: Value) {
    http::api(server.address, "publish", &json!({ "channel": "plain:square", "data": data })).await;
}

async fn until_disconnects(server: &Server, code: u16, count: u64) {
    until(&format!("{count} disconnects with {code}"), async || {
        let metrics = http::get(server.address, "/metrics").await.body;
        let line = format!("spanwire_disconnects_total{{code=\"{code}\"}} {count}");
        metrics.lines().any(|found| found == line).then_some(())
    })
    .await;
}

/// A client that subscribes and never reads again, with as little room in the kernel as it gives.
async fn deaf_subscriber(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(server.address).await.expect("the server accepts");
    let handshake = tokio_tungstenite::client_async(server.websocket(), &mut stream);
    let (mut peer, _) = within("the handshake", handshake).await.expect("the server shakes hands");
    let batch = "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"plain:square\"}}";
    peer.send(batch.into()).await.expect("the server reads");
    within("the reply", peer.next()).await.expect("an answer").expect("an answer");
    stream
}

#[tokio::test]
async fn a_slow_line_delays_and_loses_nothing() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let mut peer = Peer::subscribe(proxy.address, "square").await;
    proxy.set(Line::Slow(Duration::from_millis(40)));
    for n in 0..50 {
        http::api(server.address, "publish", &json!({ "channel": "square", "data": n })).await;
    }
    assert_eq!(peer.publications(50).await, (0..50).map(Value::from).collect::<Vec<_>>());
}

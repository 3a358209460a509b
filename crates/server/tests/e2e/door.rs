//! How many come in and how fast: by everybody, by one address, by one user; and whose address that is.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::http::{self, Response};
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token;
use crate::support::until::{until, within};

/// What the scenes' own machine may say of others, being a proxy that is trusted.
fn behind_a_proxy(client: Value, http_server: Value) -> Value {
    let mut changes = json!({ "http_server": { "trusted_proxies": ["127.0.0.0/8"] }, "client": client });
    for (key, value) in http_server.as_object().expect("an object") {
        changes["http_server"][key] = value.clone();
    }
    changes
}

/// A handshake that begins with these bytes, with these header lines in it; and the connection, to be kept.
async fn knock(server: &Server, first: &[u8], headers: &str) -> (Response, TcpStream) {
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    let request = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
        server.address
    );
    stream.write_all(&[first, request.as_bytes()].concat()).await.expect("the server reads");
    let response = within("an answer", http::answer(&mut stream)).await;
    (response, stream)
}

async fn from(server: &Server, client: &str) -> (Response, TcpStream) {
    knock(server, b"", &format!("X-Forwarded-For: {client}\r\n")).await
}

async fn metric(server: &Server, line: &str) {
    let metrics = http::get(server.address, "/metrics").await.body;
    assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
}

/// Knocks four times at once, until one is turned away with this status: on a slow machine each may find a second of
/// its own.
async fn turned_away(status: u16, knock: impl AsyncFn() -> Response) -> Response {
    until("one too many in a second", async || {
        let answers = futures_util::future::join_all((0..4).map(|_| knock())).await;
        answers.into_iter().find(|answer| answer.status == status)
    })
    .await
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_another_one_when_one_has_ended() {
    let server = Server::serve(behind_a_proxy(json!({ "ip_connection_limit": 2 }), json!({}))).await;
    let (first, one) = from(&server, "203.0.113.1").await;
    let (second, _two) = from(&server, "10.0.0.1, 203.0.113.1").await;
    assert_eq!((first.status, second.status), (101, 101));
    let (third, _) = from(&server, "203.0.113.1").await;
    assert_eq!((third.status, third.header("Retry-After")), (429, Some("10")), "{third:?}");
    assert!(third.body.contains("client.ip_connection_limit"), "{third:?}");
    metric(&server, "spanwire_handshake_failures_total{reason=\"ip_connection_limit\"} 1").await;
    assert_eq!(from(&server, "203.0.113.2").await.0.status, 101);
    drop(one);
    until("a place", async || (from(&server, "203.0.113.1").await.0.status == 101).then_some(())).await;
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one_address() {
    let server = Server::serve(behind_a_proxy(json!({ "ip_connection_limit": 1 }), json!({}))).await;
    let (first, _one) = from(&server, "2001:db8:7:7::1").await;
    assert_eq!(first.status, 101);
    assert_eq!(from(&server, "[2001:db8:7:7:ffff::2]:99").await.0.status, 429);
    assert_eq!(from(&server, "2001:db8:7:8::1").await.0.status, 101);
}

#[tokio::test]
async fn who_is_not_trusted_cannot_say_who_he_is() {
    let changes = json!({
        "http_server": { "trusted_proxies": ["192.0.2.0/24"] }, "client": { "ip_connection_limit": 1 }
    });
    let server = Server::serve(changes).await;
    // All of them come from this machine, which is not counted.
    let (first, _one) = from(&server, "203.0.113.1").await;
    let (second, _two) = from(&server, "203.0.113.1").await;
    assert_eq!((first.status, second.status), (101, 101));
}

#[tokio::test]
async fn what_a_trusted_proxy_cannot_have_meant_is_ignored_and_counted() {
    let server = Server::serve(behind_a_proxy(json!({ "ip_connection_limit": 1 }), json!({}))).await;
    assert_eq!(from(&server, "rubbish").await.0.status, 101);
    metric(&server, "spanwire_forwarded_malformed_total 1").await;
}

#[tokio::test]
async fn forwarded_is_read_where_the_proxies_write_that() {
    let changes =
        behind_a_proxy(json!({ "ip_connection_limit": 1 }), json!({ "forwarded_header": "forwarded" }));
    let server = Server::serve(changes).await;
    let forwarded = "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n";
    let (first, _one) = knock(&server, b"", forwarded).await;
    assert_eq!(first.status, 101);
    assert_eq!(knock(&server, b"", forwarded).await.0.status, 429);
    assert_eq!(knock(&server, b"", "Forwarded: for=203.0.113.9\r\n").await.0.status, 101);
}

#[tokio::test]
async fn the_proxy_protocol_says_who_comes_before_the_first_byte_of_http() {
    let changes = behind_a_proxy(json!({ "ip_connection_limit": 1 }), json!({ "proxy_protocol": true }));
    let server = Server::serve(changes).await;
    let line = b"PROXY TCP4 203.0.113.1 127.0.0.1 51000 8000\r\n".to_vec();
    let binary = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x13"[..],
        &[203, 0, 113, 1, 127, 0, 0, 1, 0xc7, 0x38, 0x1f, 0x40],
        b"\x04\x00\x04abcd",
    ]
    .concat();
    let (first, one) = knock(&server, &line, "").await;
    assert_eq!(first.status, 101);
    assert_eq!(knock(&server, &binary, "").await.0.status, 429);
    // The client is no proxy, so that what it says itself is not believed.
    assert_eq!(knock(&server, &binary, "X-Forwarded-For: 203.0.113.77\r\n").await.0.status, 429);
    drop(one);
    until("a place", async || {
        let (answer, _stream) = knock(&server, &binary, "").await;
        (answer.status == 101).then_some(())
    })
    .await;
    // A health check of the proxy's own.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    let health = [&local[..], b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    assert_eq!(http::exchange(server.address, &health).await.status, 200);
}

#[tokio::test]
async fn a_trusted_proxy_that_does_not_introduce_its_client_is_closed_unheard() {
    let server = Server::serve(behind_a_proxy(json!({}), json!({ "proxy_protocol": true }))).await;
    for first in
        [&b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"PROXY TCP4 1.1.1.1 2.2.2.2 1 x\r\n", b"\r\n\r\nx"]
    {
        let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
        stream.write_all(&[first, &[b' '; 64]].concat()).await.expect("the server reads");
        let mut answer = Vec::new();
        // A server that has not read everything resets the connection.
        let _ = within("the end", tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer)).await;
        assert_eq!(answer, b"", "to {first:?}");
    }
    let metrics =
        b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let metrics = http::exchange(server.address, metrics).await.body;
    assert!(metrics.contains("spanwire_http_errors_total{reason=\"proxy_header\"} 3\n"), "{metrics}");
}

#[tokio::test]
async fn a_stranger_who_speaks_the_proxy_protocol_is_answered_as_one_who_speaks_no_http() {
    let changes = json!({ "http_server": { "trusted_proxies": ["192.0.2.0/24"], "proxy_protocol": true } });
    let server = Server::serve(changes).await;
    let line = b"PROXY TCP4 203.0.113.1 127.0.0.1 51000 8000\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(http::exchange(server.address, line).await.status, 400);
    assert_eq!(http::get(server.address, "/health").await.status, 200);
}

#[tokio::test]
async fn an_address_that_comes_too_often_is_told_when_to_come_again() {
    let server = Server::serve(behind_a_proxy(json!({ "ip_connection_rate_limit": 1 }), json!({}))).await;
    let refusal = turned_away(429, async || from(&server, "203.0.113.1").await.0).await;
    assert_eq!(refusal.header("Retry-After"), Some("1"));
    assert!(refusal.body.contains("client.ip_connection_rate_limit"), "{refusal:?}");
    assert_eq!(from(&server, "203.0.113.2").await.0.status, 101);
}

#[tokio::test]
async fn more_clients_than_the_rate_of_all_wait() {
    let server = Server::serve(json!({ "client": { "connection_rate_limit": 1 } })).await;
    let refusal = turned_away(503, async || knock(&server, b"", "").await.0).await;
    assert_eq!(refusal.header("Retry-After"), Some("1"));
    until("another second", async || (knock(&server, b"", "").await.0.status == 101).then_some(())).await;
}

#[tokio::test]
async fn a_user_has_so_many_connections_over_all_shards_and_the_next_one_is_refused() {
    let server =
        Server::serve(json!({ "client": { "user_connection_limit": 2 }, "engine": { "shards": 2 } })).await;
    let connect = json!({ "token": token::signed(json!({ "sub": "ann" })) });
    let one = Peer::connect_as(server.address, connect.clone()).await;
    let _two = Peer::connect_as(server.address, connect.clone()).await;
    let mut three = Peer::open(server.address).await;
    three.text(&json!({ "id": 1, "connect": connect }).to_string()).await;
    assert_eq!(three.closed().await, (3504, "connection limit".to_owned()));
    // Others, and those who are nobody, do not mind.
    Peer::connect_as(server.address, json!({ "token": token::signed(json!({ "sub": "bob" })) })).await;
    for _ in 0..3 {
        Peer::connect(server.address).await;
    }
    one.leave().await;
    Peer::connect_as(server.address, connect).await;
}

//! The bad network of the dev profile: what it does to connections, and who may ask for it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{exchange, get, post};
use crate::support::line::DevLine;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::within;

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

async fn upgrade(line: &DevLine) -> TcpStream {
    let mut stream = TcpStream::connect(line.address).await.expect("the line accepts");
    let request = format!("GET /connection/websocket HTTP/1.1\r\nHost: {}\r\n{UPGRADE}", line.address);
    stream.write_all(request.as_bytes()).await.expect("the line reads");
    stream
}

#[tokio::test]
async fn a_line_without_obstacles_carries_pages_and_websockets() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    let page = get(line.address, "/").await;
    assert_eq!((page.status, page.header("Connection")), (200, Some("close")));
    let mut peer = Peer::connect(line.address).await;
    peer.call("subscribe", json!({ "channel": "news" })).await;
    peer.leave().await;
}

#[tokio::test]
async fn an_upgrade_is_refused_where_that_is_wished_and_nothing_else_is() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "upgrades": "refuse" })).await;
    let request = format!("GET /connection/websocket HTTP/1.1\r\nHost: {}\r\n{UPGRADE}", line.address);
    assert_eq!(exchange(line.address, request.as_bytes()).await.status, 403);
    assert_eq!(get(line.address, "/health").await.status, 200);
}

#[tokio::test]
async fn an_upgrade_that_is_swallowed_hears_nothing_until_it_is_cut() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "upgrades": "hang" })).await;
    let mut stream = upgrade(&line).await;
    let early = tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await;
    assert!(early.is_err(), "nothing may come");
    line.cut().await;
    let error = within("the cut", stream.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_answer_that_is_held_back_comes_when_it_is_complete() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "hold_answers": true })).await;
    assert_eq!(get(line.address, "/health").await.body.trim(), "{}");
    let mut stream = upgrade(&line).await;
    let early = tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await;
    assert!(early.is_err(), "an upgrade is an answer that never ends");
}

#[tokio::test]
async fn a_connection_is_cut_when_nothing_has_moved_on_it_for_too_long() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "cut_idle_ms": 300 })).await;
    let mut stream = upgrade(&line).await;
    let began = Instant::now();
    let mut answer = Vec::new();
    let error = within("the cut", stream.read_to_end(&mut answer)).await.unwrap_err();
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_delay_holds_each_piece_in_both_directions() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "delay_ms": 60 })).await;
    let began = Instant::now();
    assert_eq!(get(line.address, "/health").await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn whoever_takes_obstacles_away_meets_none() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "delay_ms": 5000, "hold_answers": true })).await;
    let path = format!("/dev/proxy/{}", line.address.port());
    let began = Instant::now();
    assert_eq!(post(line.address, &path, "", "{}").await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(get(server.address, &path).await.json()["delay_ms"], 0);
}

#[tokio::test]
async fn other_pages_cannot_put_anything_in_the_way() {
    let server = Server::dev().await;
    let foreign = "Origin: https://evil.example\r\n";
    assert_eq!(post(server.address, "/dev/proxy", foreign, "{}").await.status, 403);
    // What a form of another page could send without being asked, the server does not read.
    let form = format!(
        "POST /dev/proxy HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\
         Connection: close\r\n\r\n{{}}",
        server.address
    );
    assert_eq!(exchange(server.address, form.as_bytes()).await.status, 415);
}

#[tokio::test]
async fn mistakes_are_told_and_lines_are_bounded() {
    let server = Server::dev().await;
    let first = DevLine::to(&server).await;
    let path = format!("/dev/proxy/{}", first.address.port());
    for mistake in [r#"{"delay_ms":5001}"#, r#"{"upgrades":"maybe"}"#, r#"{"moods":1}"#] {
        let status = post(server.address, &path, "", mistake).await.status;
        assert!([400, 422].contains(&status), "{mistake}: {status}");
    }
    for _ in 0..8 {
        DevLine::to(&server).await;
    }
    assert_eq!(post(server.address, &path, "", "{}").await.status, 404, "the oldest made room");
}

#[tokio::test]
async fn the_secure_profile_has_none_of_it() {
    let server = Server::serve(json!({})).await;
    assert_eq!(post(server.address, "/dev/proxy", "", "{}").await.status, 404);
}

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

/// The longest that there is: who is quicker was not delayed.
const DELAY: Duration = Duration::from_secs(5);

/// How often something is measured. The best counts, for a busy machine makes it slower and never faster.
const TRIES: usize = 3;

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
    let path = format!("/dev/proxy/{}", line.address.port());
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        line.set(&json!({ "delay_ms": DELAY.as_millis(), "down": true, "hold_answers": true })).await;
        let began = Instant::now();
        assert_eq!(post(line.address, &path, "", "{}").await.status, 200);
        best = best.min(began.elapsed());
        assert_eq!(get(server.address, &path).await.json()["delay_ms"], 0);
    }
    assert!(best < DELAY, "the way out was delayed as well: {best:?}");
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

/// A WebSocket over the line of this name, and whatever is sent to it first.
async fn upgrade_by_name(server: &Server, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    let path = format!("/dev/line/{name}/to/echo");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{UPGRADE}", server.address);
    // A masked text frame that comes with the request, as a client in a hurry sends it.
    let hurry = b"\x81\x82\x00\x00\x00\x00hi";
    stream.write_all(&[request.as_bytes(), hurry].concat()).await.expect("the server reads");
    stream
}

/// Reads until the stream has brought this.
async fn brings(stream: &mut TcpStream, wanted: &[u8]) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(wanted) {
        let read = within("the rest", stream.read_buf(&mut bytes)).await.expect("it is open");
        assert!(read > 0, "it ended after {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn a_line_with_a_name_carries_requests_and_websockets_and_is_cut_by_itself() {
    let server = Server::dev().await;
    let health = get(server.address, "/dev/line/left/to/health").await;
    assert_eq!((health.status, health.body.trim()), (200, "{}"));
    let mut left = upgrade_by_name(&server, "left").await;
    let mut right = upgrade_by_name(&server, "right").await;
    for stream in [&mut left, &mut right] {
        brings(stream, b"\x81\x02hi").await;
    }
    assert_eq!(post(server.address, "/dev/line/left/cut", "", "{}").await.status, 204);
    assert!(within("the cut", left.read_u8()).await.is_err(), "it is over");
    right.write_all(b"\x81\x82\x00\x00\x00\x00yo").await.expect("it is open");
    brings(&mut right, b"\x81\x02yo").await;
}

#[tokio::test]
async fn nothing_gets_through_a_line_that_is_down_until_it_is_up_again() {
    let server = Server::dev().await;
    let down = post(server.address, "/dev/line/a/", "", "{}").await;
    assert_eq!(down.status, 404, "a line has no slash behind it");
    assert_eq!(post(server.address, "/dev/line/a", "", r#"{"down":true}"#).await.json()["down"], true);
    assert_eq!(get(server.address, "/dev/line/a/to/health").await.status, 503);
    assert_eq!(get(server.address, "/dev/line/b/to/health").await.status, 200, "another line is up");
    assert_eq!(post(server.address, "/dev/line/a", "", "{}").await.status, 200);
    assert_eq!(get(server.address, "/dev/line/a/to/health").await.status, 200);
}

#[tokio::test]
async fn a_line_that_made_room_for_others_is_there_again_when_it_is_used() {
    let server = Server::dev().await;
    assert_eq!(post(server.address, "/dev/line/first", "", r#"{"down":true}"#).await.status, 200);
    for number in 0..16 {
        assert_eq!(get(server.address, &format!("/dev/line/{number}/to/health")).await.status, 200);
    }
    assert_eq!(get(server.address, "/dev/line/first/to/health").await.status, 200);
    for misnamed in ["UPPER", "a.b", &"x".repeat(33)] {
        assert_eq!(get(server.address, &format!("/dev/line/{misnamed}/to/health")).await.status, 400);
    }
}

#[tokio::test]
async fn the_secure_profile_has_none_of_it() {
    let server = Server::serve(json!({})).await;
    assert_eq!(post(server.address, "/dev/proxy", "", "{}").await.status, 404);
    assert_eq!(get(server.address, "/dev/line/left/to/health").await.status, 404);
}

//! Too much, too deep, too many: each is refused by a limit that has a name.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server};
use crate::support::until::until;

#[tokio::test]
async fn ten_thousand_subscriptions_of_one_client_end_at_the_channel_limit() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::connect(server.address).await;
    let before = server.resident_bytes();
    let (mut granted, mut refused) = (0, 0);
    for batch in 0..100 {
        let ids = (1 + batch * 100)..=(100 + batch * 100);
        let commands: Vec<_> = ids
            .map(|id| {
                json!({ "id": 1000 + id, "subscribe": { "channel": format!("room {id}") } }).to_string()
            })
            .collect();
        peer.text(&commands.join("\n")).await;
        for reply in peer.replies(100).await {
            match reply["error"]["code"].as_u64() {
                None => granted += 1,
                Some(106) => refused += 1,
                Some(_) => panic!("{reply}"),
            }
        }
    }
    assert_eq!((granted, refused), (128, 9_872));
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes for one client");
    peer.call("unsubscribe", json!({ "channel": "room 1" })).await;
    peer.call("subscribe", json!({ "channel": "another room" })).await;
}

#[tokio::test]
async fn a_message_over_the_size_limit_is_refused_and_one_below_is_not() {
    let server = Server::serve(json!({ "websocket": { "message_size_limit": 4096 } })).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    let text = "x".repeat(3900);
    peer.call("publish", json!({ "channel": "square", "data": text })).await;
    assert_eq!(peer.publication().await, text);
    peer.send_if_it_listens(Message::text("x".repeat(4097))).await;
    assert_eq!(peer.closed().await.0, 1009);
}

#[tokio::test]
async fn an_endless_message_in_small_fragments_is_refused_as_well() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let server = Server::serve(json!({ "websocket": { "message_size_limit": 4096 } })).await;
    let mut peer = Peer::connect(server.address).await;
    let fragment = |opcode| Message::Frame(Frame::message(vec![b' '; 100], OpCode::Data(opcode), false));
    peer.send(fragment(Data::Text)).await;
    for _ in 0..50 {
        peer.send_if_it_listens(fragment(Data::Continue)).await;
    }
    assert_eq!(peer.closed().await.0, 1009);
}

#[tokio::test]
async fn json_as_deep_as_a_message_can_hold_is_carried_or_refused() {
    let server = Server::serve(json!({})).await;
    let mut other = Peer::subscribe(server.address, "square").await;
    let depth = 30_000;
    let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for words in [
        format!(r#"{{"id":1,"publish":{{"channel":"square","data":{deep}}}}}"#),
        format!(r#"{{"id":1,"connect":{deep}}}"#),
        format!(r#"{{"id":1,"teleport":{deep}}}"#),
        "[".repeat(60_000),
        r#"{"connect":"#.repeat(5_000),
    ] {
        let mut peer = Peer::open(server.address).await;
        peer.text(&words).await;
        assert_eq!(peer.closed().await.0, 3501);
    }
    let body = format!(r#"{{"channel":"square","data":{deep}}}"#);
    let key = format!("X-API-Key: {}\r\n", API_KEY);
    let answer = http::post(server.address, "/api/publish", &key, &body).await;
    assert!([200, 400].contains(&answer.status), "{answer:?}");
    http::api(server.address, "publish", &json!({ "channel": "square", "data": "still here" })).await;
    other.message_with("still here").await;
}

#[tokio::test]
async fn a_channel_name_too_long_is_a_bad_request() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::connect(server.address).await;
    assert_eq!(peer.refusal("subscribe", json!({ "channel": "x".repeat(256) })).await, 107);
    peer.call("subscribe", json!({ "channel": "x".repeat(255) })).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_the_api() {
    let server = Server::serve(json!({})).await;
    let key = format!("X-API-Key: {}\r\n", API_KEY);
    let head = format!(
        "POST /api/publish HTTP/1.1\r\nHost: {}\r\n{key}Content-Type: application/json\r\n\
         Content-Length: 1000000000\r\n\r\n{{",
        server.address
    );
    let answer = http::exchange(server.address, head.as_bytes()).await;
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[tokio::test]
async fn no_more_connections_are_served_than_the_limit_and_room_is_made_by_leaving() {
    let server = Server::serve(json!({ "client": { "connection_limit": 3 } })).await;
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(Peer::connect(server.address).await);
    }
    let knock = || handshake_status(&server);
    assert_eq!(knock().await, 503);
    peers.pop().expect("three").leave().await;
    until("room", async || (knock().await == 101).then_some(())).await;
}

async fn handshake_status(server: &Server) -> u16 {
    let request = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    http::exchange(server.address, request.as_bytes()).await.status
}

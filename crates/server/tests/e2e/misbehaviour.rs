//! Broken protocol, and the code that each sin earns; while a bystander misses nothing.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::http;
use crate::support::peer::{EMPTY, Peer};
use crate::support::server::Server;

/// Somebody in the same house, who must never notice.
struct Bystander {
    peer: Peer,
    address: SocketAddr,
    heard: u64,
}

impl Bystander {
    async fn beside(server: &Server) -> Self {
        Self { peer: Peer::subscribe(server.address, "square").await, address: server.address, heard: 0 }
    }

    /// Hears the next publication, and no other.
    async fn is_unharmed(&mut self) {
        self.heard += 1;
        http::api(self.address, "publish", &json!({ "channel": "square", "data": self.heard })).await;
        assert_eq!(self.peer.publication().await, self.heard);
    }
}

/// What a client says first, and the close code that follows.
const FIRST_WORDS: &[(&str, &str, u16)] = &[
    ("not connect", r#"{"id":1,"subscribe":{"channel":"square"}}"#, 3501),
    ("a pong", EMPTY, 3501),
    ("an empty frame", "", 3501),
    ("nothing but a newline", "\n", 3501),
    ("no JSON", "hello", 3501),
    ("half a JSON", r#"{"id":1,"connect":{"#, 3501),
    ("JSON, but no command", "[1,2,3]", 3501),
    ("a wrong type", r#"{"id":"one","connect":{}}"#, 3501),
    ("an id below zero", r#"{"id":-1,"connect":{}}"#, 3501),
    ("an unknown command", r#"{"id":1,"teleport":{}}"#, 3501),
    ("a forged token", r#"{"id":1,"connect":{"token":"a.b.c"}}"#, 3500),
];

/// What a connected client says next, and the close code that follows.
const NEXT_WORDS: &[(&str, &str, u16)] = &[
    ("a second connect", r#"{"id":2,"connect":{}}"#, 3501),
    ("a pong nobody asked for", EMPTY, 3501),
    ("an empty frame", "", 3501),
    ("an unknown command", r#"{"id":2,"teleport":{}}"#, 3501),
    ("the ping command, which is not for clients", r#"{"id":2,"ping":{}}"#, 3501),
    ("an empty channel", r#"{"id":2,"subscribe":{"channel":""}}"#, 3501),
    ("garbage behind a good command", "{\"id\":2,\"subscribe\":{\"channel\":\"room\"}}\n}{", 3501),
    ("a message to a server without a handler", r#"{"send":{"data":{}}}"#, 3508),
    ("a refresh without a token", r#"{"id":2,"refresh":{}}"#, 3501),
];

#[tokio::test]
async fn first_words_that_break_the_protocol_are_the_last() {
    let server = Server::serve(json!({})).await;
    let mut bystander = Bystander::beside(&server).await;
    for (what, words, code) in FIRST_WORDS {
        let mut peer = Peer::open(server.address).await;
        peer.text(words).await;
        assert_eq!(peer.closed().await.0, *code, "{what}");
        bystander.is_unharmed().await;
    }
}

#[tokio::test]
async fn a_connected_client_that_breaks_the_protocol_is_let_go() {
    let server = Server::serve(json!({})).await;
    let mut bystander = Bystander::beside(&server).await;
    for (what, words, code) in NEXT_WORDS {
        let mut peer = Peer::connect(server.address).await;
        peer.text(words).await;
        assert_eq!(peer.closed().await.0, *code, "{what}");
        bystander.is_unharmed().await;
    }
}

#[tokio::test]
async fn a_second_pong_for_one_ping_is_one_too_many() {
    let server = Server::serve(json!({ "client": { "ping_interval": "2s", "pong_timeout": "1s" } })).await;
    let mut peer = Peer::connect(server.address).await;
    peer.ping().await;
    peer.text(EMPTY).await;
    peer.call("presence_stats", json!({ "channel": "square" })).await;
    peer.text(EMPTY).await;
    assert_eq!(peer.closed().await.0, 3501);
}

/// What a Protobuf client sends first. Each frame is a list of commands, each behind its length.
const BINARY: &[(&str, &[u8])] = &[
    ("nothing", &[]),
    ("a length that nothing follows", &[5]),
    ("a length that never ends", &[0xff; 16]),
    ("an empty command, which is a pong", &[0]),
    ("a wire type that does not exist", &[2, 0x0f, 0x00]),
    ("a field cut short", &[3, 0x22, 0x05, 0x00]),
    ("JSON", b"{\"id\":1,\"connect\":{}}"),
];

#[tokio::test]
async fn protobuf_that_is_none_is_refused_as_json_that_is_none() {
    let server = Server::serve(json!({})).await;
    let mut bystander = Bystander::beside(&server).await;
    for (what, bytes) in BINARY {
        let mut peer = Peer::open_at(server.address, "/connection/websocket?format=protobuf").await;
        peer.send(Message::binary(*bytes)).await;
        assert_eq!(peer.closed().await.0, 3501, "{what}");
        bystander.is_unharmed().await;
    }
}

/// A masked frame as the RFC draws it; the mask is zero, so that the payload can be read.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("short");
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn each_broken_frame_gets_its_close_code() {
    let server = Server::serve(json!({})).await;
    let mut bystander = Bystander::beside(&server).await;
    let announced_huge = [&[0x81, 0xff][..], &u64::to_be_bytes(1 << 40), &[0; 4]].concat();
    let length_not_minimal = [&[0x81, 0xfe, 0, 2, 0, 0, 0, 0][..], b"{}"].concat();
    let table: &[(&str, Vec<u8>, u16)] = &[
        ("without a mask", b"\x81\x02{}".to_vec(), 1002),
        ("a reserved bit", frame(0xc1, b"{}"), 1002),
        ("an opcode of the future", frame(0x83, b"{}"), 1002),
        ("a continuation of nothing", frame(0x80, b"{}"), 1002),
        ("a ping in fragments", frame(0x09, b"{}"), 1002),
        ("a message inside a message", [frame(0x01, b"{"), frame(0x81, b"}")].concat(), 1002),
        ("a length written too long", length_not_minimal, 1002),
        ("text that is not UTF-8", frame(0x81, b"\xff\xfe"), 1007),
        ("text that breaks off in a character", frame(0x81, b"\xe2\x82"), 1007),
        ("a close with half a code", frame(0x88, b"\x03"), 1002),
        ("a close with a code that may not be sent", frame(0x88, &1006u16.to_be_bytes()), 1002),
        ("a close with a reason that is not UTF-8", frame(0x88, b"\x03\xe8\xff"), 1007),
        ("more than will ever be read", announced_huge, 1009),
    ];
    for (what, bytes, code) in table {
        let mut peer = Peer::connect(server.address).await;
        peer.stream().write_all(bytes).await.expect("the server is there");
        assert_eq!(peer.closed().await.0, *code, "{what}");
        bystander.is_unharmed().await;
    }
}

#[tokio::test]
async fn native_pings_are_answered_and_messages_may_come_in_fragments() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::connect(server.address).await;
    let command = br#"{"id":9,"presence_stats":{"channel":"square"}}"#;
    let (head, tail) = command.split_at(20);
    let pieces = [frame(0x01, head), frame(0x89, b"between"), frame(0x80, tail)].concat();
    for byte in pieces {
        peer.stream().write_all(&[byte]).await.expect("the server is there");
    }
    assert_eq!(&peer.pong().await[..], b"between");
    let Message::Text(reply) = peer.message().await else { panic!("a reply is text") };
    let reply: Value = serde_json::from_str(&reply).expect("a reply is JSON");
    assert_eq!(reply, json!({ "id": 9, "presence_stats": { "num_clients": 0, "num_users": 0 } }));
}

#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::connect(server.address).await;
    peer.stream().write_all(&frame(0x88, b"\x0f\xa1bye")).await.expect("the server is there");
    assert_eq!(peer.closed().await.0, 4001);
}

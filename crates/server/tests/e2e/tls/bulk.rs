use std::time::Duration;

use serde_json::{Value, json};
use spanwire_ws::{Opcode, frame};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

use std::sync::Arc;

use crate::support::peer::Peer;
use crate::support::secure::{Secure, SecurePeer, shake_hands};
use crate::support::until::until;

/// Room for messages of a megabyte.
fn roomy() -> Value {
    json!({ "websocket": { "message_size_limit": 4 << 20 }, "client": { "queue_max_size": 16 << 20 } })
}

#[tokio::test]
async fn a_megabyte_goes_both_ways_in_pieces_of_every_odd_size() {
    let secure = Secure::serve(roomy()).await;
    let mut reader = secure.subscribe("talk").await;
    let mut writer = secure.subscribe("talk").await;
    for (number, piece) in [1000, 4093, 16_383, 16_385, 65_537, 1 << 20].into_iter().enumerate() {
        let data = format!("{number}{}", "x".repeat(1 << 20));
        let publish =
            json!({ "id": 100 + number, "publish": { "channel": "talk", "data": data } }).to_string();
        let mut message = Vec::new();
        frame::client_frame_into(&mut message, Opcode::Text, publish.as_bytes(), [9, 8, 7, 6]);
        for piece in message.chunks(piece) {
            writer.stream().write_all(piece).await.expect("the server is there");
            writer.stream().flush().await.expect("the server is there");
        }
        for peer in [&mut reader, &mut writer] {
            let heard = peer.publication().await;
            assert!(heard.as_str() == Some(data.as_str()), "in pieces of {piece}: not what was said");
        }
    }
}

/// A subscriber with so small a window that what it does not read soon waits in the server.
async fn narrow_subscriber(secure: &Secure) -> SecurePeer {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("it may be small");
    let stream = socket.connect(secure.server.address).await.expect("the server accepts");
    let stream = shake_hands(stream, Arc::new(secure.client()), "localhost").await.expect("it is trusted");
    let mut peer = Peer::open_over(stream, &format!("{}/connection/websocket", secure.server.address)).await;
    peer.call("connect", json!({})).await;
    peer.call("subscribe", json!({ "channel": "talk" })).await;
    peer
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_let_go_with_3008_and_the_others_hear_everything() {
    let secure = Secure::serve(json!({ "client": { "queue_max_size": 256 << 10 } })).await;
    let mut slow = narrow_subscriber(&secure).await;
    let mut witness = secure.subscribe("talk").await;
    let overflows = "spanwire_outbox_overflows_total";
    let mut count = 0;
    until("the slow one to overflow", async || {
        for _ in 0..20 {
            let data = json!([count, "x".repeat(16 << 10)]);
            witness.call("publish", json!({ "channel": "talk", "data": data })).await;
            assert_eq!(witness.publication().await[0], json!(count));
            count += 1;
        }
        (secure.metric(overflows).await == 1.0).then_some(())
    })
    .await;
    // What was on its way comes, and then the reason; TLS has not lost a byte in between.
    assert_eq!(slow.closed().await.0, 3008);
}

#[tokio::test]
async fn what_waits_in_tls_arrives_when_the_reader_reads_again() {
    let secure = Secure::serve(roomy()).await;
    let mut slow = narrow_subscriber(&secure).await;
    let mut writer = secure.subscribe("talk").await;
    for number in 0..100 {
        let data = json!([number, "x".repeat(32 << 10)]);
        writer.call("publish", json!({ "channel": "talk", "data": data })).await;
    }
    tokio::time::timeout(Duration::from_secs(60), async {
        for number in 0..100 {
            assert_eq!(slow.publication().await[0], json!(number));
        }
    })
    .await
    .expect("three megabytes through a window of four kilobytes");
}

//! `/echo`: a plain WebSocket echo on the same engine, in the dev profile.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;

const LARGEST: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn text_and_binary_come_back_as_they_went() {
    let server = Server::dev().await;
    let mut peer = Peer::open_at(server.address, "/echo").await;
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::text("Grüße, 世界 🙂"),
        Message::binary(vec![]),
        Message::binary((0..=255).collect::<Vec<u8>>()),
        Message::text("x".repeat(65_536)),
    ] {
        peer.send(message.clone()).await;
        assert_eq!(peer.message().await, message);
    }
}

#[tokio::test]
async fn sixteen_mebibytes_come_back_and_one_byte_more_does_not() {
    let server = Server::dev().await;
    let mut peer = Peer::open_at(server.address, "/echo").await;
    let largest = Message::binary((0..LARGEST).map(|n| (n % 251) as u8).collect::<Vec<u8>>());
    peer.send(largest.clone()).await;
    assert!(peer.message().await == largest);
    peer.send(Message::text("x".repeat(LARGEST))).await;
    assert!(peer.message().await == Message::text("x".repeat(LARGEST)));
    // A frame is refused for what it announces, before any of it has come.
    let announced = u64::try_from(LARGEST + 1).expect("16 MiB fit").to_be_bytes();
    let head = [&[0x82, 0xff][..], &announced, &[0; 4]].concat();
    peer.stream().write_all(&head).await.expect("the server is there");
    assert_eq!(peer.closed().await.0, 1009);
}

#[tokio::test]
async fn fragments_come_back_as_one_message_with_pings_between_them() {
    let server = Server::dev().await;
    let mut peer = Peer::open_at(server.address, "/echo").await;
    let text = "Grüße, 世界 🙂";
    for cut in 0..=text.len() {
        // Cut anywhere, also inside a character.
        let (head, tail) = text.as_bytes().split_at(cut);
        let first = Frame::message(head.to_vec(), OpCode::Data(Data::Text), false);
        let last = Frame::message(tail.to_vec(), OpCode::Data(Data::Continue), true);
        peer.send(Message::Frame(first)).await;
        peer.send(Message::Ping(vec![cut as u8].into())).await;
        peer.send(Message::Frame(last)).await;
        // A pong is due soon, not before the message that ends right behind its ping (section 5.5.3).
        let heard = [peer.any_message().await, peer.any_message().await];
        assert!(heard.contains(&Message::Pong(vec![cut as u8].into())), "{heard:?}");
        assert!(heard.contains(&Message::text(text)), "{heard:?}");
    }
}

#[tokio::test]
async fn the_secure_profile_has_no_echo() {
    let server = Server::serve(json!({})).await;
    assert_eq!(http::get(server.address, "/echo").await.status, 404);
}

use std::io;

use serde_json::json;
use spanwire_ws::{Opcode, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::secure::Secure;
use crate::support::until::{until, within};

/// How many have gone without a word of WebSocket.
async fn gone(secure: &Secure) -> f64 {
    secure.metric("spanwire_disconnects_total{code=\"3000\"}").await
}

/// How a peer ends in the middle of a message.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// By `close_notify`, without closing its socket.
    Notified,
    /// By closing its socket, without `close_notify`: somebody may have cut the line.
    Cut,
}

#[tokio::test]
async fn a_message_that_was_cut_is_never_taken_for_a_whole_one() {
    let secure = Secure::serve(json!({})).await;
    let mut witness = secure.subscribe("talk").await;
    for (count, ending) in [Ending::Notified, Ending::Cut].into_iter().enumerate() {
        let mut peer = secure.subscribe("talk").await;
        let mut message = Vec::new();
        let publish = json!({ "id": 9, "publish": { "channel": "talk", "data": "cut" } }).to_string();
        frame::client_frame_into(&mut message, Opcode::Text, publish.as_bytes(), [1, 2, 3, 4]);
        peer.stream().write_all(&message[..message.len() - 1]).await.expect("the server is there");
        peer.stream().flush().await.expect("the server is there");
        match ending {
            Ending::Notified => {
                let (_, tls) = peer.stream().get_mut();
                tls.send_close_notify();
                peer.stream().flush().await.expect("the server is there");
            }
            Ending::Cut => peer.stream().get_mut().0.shutdown().await.expect("the server is there"),
        }
        let mut rest = Vec::new();
        let end = within("the server to hang up", peer.stream().read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "{ending:?}: the server says close_notify too, {end:?}");
        until("it to be gone", async || (gone(&secure).await == (count + 1) as f64).then_some(())).await;
    }
    witness.call("publish", json!({ "channel": "talk", "data": "whole" })).await;
    assert_eq!(witness.publication().await, json!("whole"));
}

#[tokio::test]
async fn ciphertext_that_was_tampered_with_ends_the_connection_and_is_counted() {
    let secure = Secure::serve(json!({})).await;
    let mut peer = secure.subscribe("talk").await;
    // A record of application data that nobody has sealed (RFC 8446, section 5.2).
    let forged = [&[23, 3, 3, 0, 32][..], &[0; 32]].concat();
    peer.stream().get_mut().0.write_all(&forged).await.expect("the server is there");
    let mut rest = Vec::new();
    let end = within("the server to hang up", peer.stream().read_to_end(&mut rest)).await;
    assert_eq!(end.expect_err("an alert").kind(), io::ErrorKind::InvalidData);
    assert_eq!(secure.metric("spanwire_peer_errors_total{reason=\"tls\"}").await, 1.0);
}

#[tokio::test]
async fn whoever_closes_in_good_order_is_told_the_end_by_tls_as_well() {
    let secure = Secure::serve(json!({})).await;
    let mut peer = secure.subscribe("talk").await;
    let mut goodbye = Vec::new();
    frame::client_frame_into(&mut goodbye, Opcode::Close, &1000_u16.to_be_bytes(), [1, 2, 3, 4]);
    peer.stream().write_all(&goodbye).await.expect("the server is there");
    peer.stream().flush().await.expect("the server is there");
    let mut rest = Vec::new();
    // Without close_notify this is an error: what came could be a part.
    within("the server to hang up", peer.stream().read_to_end(&mut rest)).await.expect("close_notify");
    // The server may have asked whether the peer is there before it heard the goodbye.
    assert!(rest.ends_with(&[0x88, 2, 0x03, 0xe8]), "{rest:?}");
}

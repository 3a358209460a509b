//! Peers that are slow on purpose: they are cut on time, and who is let go for it is told why as soon as he reads.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server};
use crate::support::until::{until, within};

/// How often a slow peer sends a byte.
const DRIP: Duration = Duration::from_millis(100);

/// Much longer than the second that these servers wait, and shorter than any server waits by default.
const CUT_WITHIN: Duration = Duration::from_secs(9);

/// A server that waits a second for what this option of `http_server` is about.
async fn impatient(option: &str) -> Server {
    Server::serve(json!({ "http_server": { option: "1s" } })).await
}

/// Sends these bytes one by one, slowly, until the server has had enough.
async fn drip(stream: &mut TcpStream, bytes: impl IntoIterator<Item = u8>) {
    let (mut from, mut to) = stream.split();
    let dripping = async {
        for byte in bytes {
            // Not for synchronisation: slowness is what is tried.
            tokio::time::sleep(DRIP).await;
            if to.write_all(&[byte]).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let hung_up = async { while from.read_buf(&mut answer).await.unwrap_or(0) > 0 {} };
    tokio::select! {
        () = dripping => {}
        () = hung_up => {}
    }
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_cut_on_time() {
    let server = impatient("read_header_timeout").await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.expect("the server reads");
    let began = Instant::now();
    let endless = b"X-Slow: a\r\n".iter().copied().cycle();
    within("the server to hang up", drip(&mut stream, endless)).await;
    assert!(began.elapsed() < CUT_WITHIN, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_websocket_frame_that_comes_drop_by_drop_does_not_answer_a_ping() {
    let server = Server::serve(json!({ "client": { "ping_interval": "2s", "pong_timeout": "1s" } })).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    // A frame that will have 60,000 bytes, some day.
    peer.stream().write_all(&[0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0]).await.expect("the server reads");
    within("the server to hang up", drip(peer.stream(), std::iter::repeat(b' '))).await;
    until("nobody in the channel", async || {
        let answer = http::api(server.address, "presence", &json!({ "channel": "square" })).await;
        answer["result"]["presence"].as_object().is_some_and(serde_json::Map::is_empty).then_some(())
    })
    .await;
}

#[tokio::test]
async fn answers_that_nobody_reads_are_given_up() {
    let server = impatient("write_timeout").await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(server.address).await.expect("the server accepts");
    // Each is answered with more than it asked; no answer is read.
    let request = b"GET /spanwire.js HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    let began = Instant::now();
    let asking = async { while stream.write_all(&request).await.is_ok() {} };
    within("the server to hang up", asking).await;
    assert!(began.elapsed() < CUT_WITHIN, "{:?}", began.elapsed());
    let metrics = http::get(server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_http_errors_total{reason=\"connection_lost\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_body_that_comes_drop_by_drop_is_refused_in_the_end() {
    let server = impatient("read_timeout").await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    let head = format!(
        "POST /api/publish HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\nContent-Length: 100000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let (mut from, mut to) = stream.split();
    let dripping = async {
        while to.write_all(b" ").await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        () = dripping => unreachable!("it goes on for ever"),
        answer = tokio::time::timeout(CUT_WITHIN, http::answer(&mut from)) => answer.expect("an answer").status,
    };
    assert_eq!(status, 408);
}

/// Lets a client that does not read overflow, and returns it with what it has not read.
async fn overflown(server: &Server) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(server.address).await.expect("the server accepts");
    let handshake = tokio_tungstenite::client_async(server.websocket(), stream);
    let (mut peer, _) = within("the handshake", handshake).await.expect("the server shakes hands");
    let batch = "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"plain:square\"}}";
    peer.send(batch.into()).await.expect("the server reads");
    within("the reply", peer.next()).await.expect("an answer").expect("an answer");
    let piece = "x".repeat(60 * 1024);
    until("it to overflow", async || {
        let data = json!({ "channel": "plain:square", "data": piece });
        http::api(server.address, "publish", &data).await;
        let metrics = http::get(server.address, "/metrics").await.body;
        metrics.contains("spanwire_disconnects_total{code=\"3008\"} 1\n").then_some(())
    })
    .await;
    peer
}

#[tokio::test]
async fn who_did_not_read_and_reads_again_in_time_is_told_why_it_is_let_go() {
    let server = Server::serve(json!({ "client": { "queue_max_size": 256 * 1024 } })).await;
    let mut peer = overflown(&server).await;
    let told = within("the end", async {
        loop {
            match peer.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (u16::from(frame.code), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a reason"),
            }
        }
    })
    .await;
    assert_eq!(told, (3008, "slow".to_owned()));
}

#[tokio::test]
async fn who_never_reads_again_is_gone_when_the_patience_with_its_end_is_over() {
    let server = Server::serve(json!({ "client": { "queue_max_size": 256 * 1024 } })).await;
    let _peer = overflown(&server).await;
    until("nothing to be left of it", async || {
        let metrics = http::get(server.address, "/metrics").await.body;
        metrics.contains("\nspanwire_connections 0\n").then_some(())
    })
    .await;
    let presence: Value = http::api(server.address, "info", &json!({})).await;
    assert_eq!(presence["result"]["nodes"][0]["num_clients"], 0, "{presence}");
}

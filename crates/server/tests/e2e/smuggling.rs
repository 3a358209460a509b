//! Requests that two readers could read in two ways: none of them is served, and nothing behind them.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http;
use crate::support::server::{API_KEY, Server};
use crate::support::until::within;

/// What a smuggler hides behind a request. If it were served, its answer would say so.
const HIDDEN: &str = "GET /health HTTP/1.1\r\nHost: hidden\r\n\r\n";

/// Sends these bytes and reads until the server closes.
async fn converse(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    stream.write_all(bytes).await.expect("the server reads");
    let mut said = Vec::new();
    // A server that has refused without reading everything may reset the connection behind its answer.
    let _ = within("the server to close", stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}

fn statuses(said: &str) -> Vec<&str> {
    said.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

/// Heads of a POST to the server API behind its Host and key, with a body that ends where one reader thinks.
const HEADS: &[(&str, &str)] = &[
    ("two equal lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    ("two lengths in one line", "Content-Length: 2, 2\r\n\r\n{}"),
    ("a length with a sign", "Content-Length: +2\r\n\r\n{}"),
    ("a negative length", "Content-Length: -2\r\n\r\n{}"),
    ("a hexadecimal length", "Content-Length: 0x2\r\n\r\n{}"),
    ("a length too great", "Content-Length: 18446744073709551618\r\n\r\n{}"),
    ("an empty length", "Content-Length: \r\n\r\n{}"),
    ("a length, then chunks", "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("chunks, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunks that are not last", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("another coding", "Transfer-Encoding: identity\r\n\r\n{}"),
    ("a coding that hides", "Transfer-Encoding: xchunked\r\n\r\n{}"),
    ("a coding behind a tab", "Transfer-Encoding:\tchunked, gzip\r\n\r\n0\r\n\r\n"),
    ("a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a tab before the colon", "Content-Length\t: 2\r\n\r\n{}"),
    ("a space in a name", "Content Length: 2\r\n\r\n{}"),
    ("a folded header", "X-One: a\r\n Content-Length: 2\r\n\r\n{}"),
    ("a first line that is folded", " X-One: a\r\nContent-Length: 2\r\n\r\n{}"),
    ("a bare line feed", "X-One: a\nContent-Length: 2\r\n\r\n{}"),
    ("a bare line feed at the end", "Content-Length: 2\r\n\n{}"),
    ("a bare carriage return", "X-One: a\rContent-Length: 2\r\n\r\n{}"),
    ("a zero byte", "X-One: a\0b\r\nContent-Length: 2\r\n\r\n{}"),
    ("a line without a colon", "Content-Length 2\r\n\r\n{}"),
    ("another host", "Host: elsewhere\r\nContent-Length: 2\r\n\r\n{}"),
];

#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_is_refused_with_all_behind_it() {
    let server = Server::serve(json!({})).await;
    let mut wrong = Vec::new();
    for (what, head) in HEADS {
        let request = format!("POST /api/info HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\n{head}{HIDDEN}");
        let said = converse(&server, request.as_bytes()).await;
        if statuses(&said) != ["400"] {
            wrong.push(format!("{what}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Request lines, and the lines behind them, of requests without a body.
const WHOLE: &[(&str, &str)] = &[
    ("no host", "GET /health HTTP/1.1\r\n\r\n"),
    ("a target with another host", "GET http://elsewhere/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a target with another port", "GET http://a:81/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("chunks in HTTP/1.0", "POST /health HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two spaces", "GET  /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a tab", "GET\t/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no version", "GET /health\r\nHost: a\r\n\r\n"),
    ("another version", "GET /health HTTP/1.2\r\nHost: a\r\n\r\n"),
];

#[tokio::test]
async fn a_request_line_that_is_none_is_refused_with_all_behind_it() {
    let server = Server::serve(json!({})).await;
    for (what, request) in WHOLE {
        let said = converse(&server, format!("{request}{HIDDEN}").as_bytes()).await;
        assert_eq!(statuses(&said), ["400"], "{what}: {said:?}");
    }
}

/// Bodies in chunks that are none.
const CHUNKS: &[(&str, &str)] = &[
    ("no size", "\r\n{}\r\n0\r\n\r\n"),
    ("a size with a sign", "+2\r\n{}\r\n0\r\n\r\n"),
    ("a size with 0x", "0x2\r\n{}\r\n0\r\n\r\n"),
    ("a size too great", "10000000000000002\r\n{}\r\n0\r\n\r\n"),
    ("a bare line feed behind a size", "2\n{}\r\n0\r\n\r\n"),
    ("a bare line feed in an extension", "2;a\nb\r\n{}\r\n0\r\n\r\n"),
    ("no line end behind a chunk", "2\r\n{}0\r\n\r\n"),
    ("a chunk longer than its size", "2\r\n{}}\r\n0\r\n\r\n"),
];

#[tokio::test]
async fn a_body_in_bad_chunks_is_refused_with_all_behind_it() {
    let server = Server::serve(json!({})).await;
    for (what, body) in CHUNKS {
        let request = format!(
            "POST /api/info HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n{body}{HIDDEN}"
        );
        let said = converse(&server, request.as_bytes()).await;
        assert_eq!(statuses(&said), ["400"], "{what}: {said:?}");
    }
}

#[tokio::test]
async fn what_is_not_followed_is_the_last_on_its_connection() {
    let server = Server::serve(json!({})).await;
    let api = format!("POST /api/info HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\n");
    let table = [
        (format!("{api}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"), "200"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".to_owned(), "200"),
        (
            "GET /connection/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                .to_owned(),
            "426",
        ),
    ];
    for (request, status) in table {
        let said = converse(&server, format!("{request}{HIDDEN}").as_bytes()).await;
        assert_eq!(statuses(&said), [status], "{request:?}: {said:?}");
        assert!(said.to_ascii_lowercase().contains("connection: close"), "{said:?}");
    }
}

#[tokio::test]
async fn a_handshake_with_a_body_is_refused() {
    let server = Server::serve(json!({})).await;
    let head = "GET /connection/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for body in [
        format!("Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len()),
    ] {
        let said = converse(&server, format!("{head}{body}").as_bytes()).await;
        assert_eq!(statuses(&said), ["400"], "{said:?}");
    }
}

#[tokio::test]
async fn good_requests_follow_each_other_on_one_connection() {
    let server = Server::serve(json!({})).await;
    let api = format!(
        "POST /api/channels HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\nContent-Length: {}\r\n\r\n{}",
        HIDDEN.len() + 2,
        // A body that looks like a request is a body: the API finds no JSON in it, and says so.
        format_args!("\r\n{HIDDEN}")
    );
    let absolute = "GET http://A/health HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = converse(&server, format!("\r\n{HIDDEN}{api}{absolute}{last}").as_bytes()).await;
    assert_eq!(statuses(&said), ["200", "400", "200", "200"], "{said:?}");
}

#[tokio::test]
async fn a_good_request_before_an_ambiguous_one_is_answered_and_the_reason_is_counted() {
    let server = Server::serve(json!({})).await;
    let twice = "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let said = converse(&server, format!("{HIDDEN}{twice}{HIDDEN}").as_bytes()).await;
    assert_eq!(statuses(&said), ["200", "400"], "{said:?}");
    let metrics = http::get(server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_http_errors_total{reason=\"two_hosts\"} 1\n"), "{metrics}");
}

//! Raw bytes in, an HTTP status out (RFC 6455, section 4.2).

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{self, Response, exchange};
use crate::support::server::Server;
use crate::support::until::within;

/// The key of the RFC's own example, and what proves that a server has understood it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The lines of a good handshake. A case replaces a line by its name, drops it, or adds one.
fn good(address: SocketAddr) -> Vec<(String, String)> {
    [
        ("Host", address.to_string().as_str()),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// What a case changes about the good handshake.
enum Change {
    /// The request line.
    Line(&'static str),
    Without(&'static str),
    With(&'static str, &'static str),
    Also(&'static str, &'static str),
}

use Change::{Also, Line, With, Without};

async fn shake(address: SocketAddr, change: &Change) -> Response {
    let mut line = "GET /connection/websocket HTTP/1.1";
    let mut headers = good(address);
    match change {
        Line(other) => line = other,
        Without(name) => headers.retain(|(key, _)| key != name),
        With(name, value) => {
            headers.retain(|(key, _)| key != name);
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        Also(name, value) => headers.push(((*name).to_owned(), (*value).to_owned())),
    }
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    exchange(address, format!("{line}\r\n{headers}\r\n").as_bytes()).await
}

const TABLE: &[(&str, Change, u16)] = &[
    ("as it should be", Also("X-Anything", "goes"), 101),
    ("names in any case", With("Upgrade", "WebSocket"), 101),
    ("one of several tokens", With("Connection", "foo, upgrade ,bar"), 101),
    ("an extension nobody negotiates", Also("Sec-WebSocket-Extensions", "permessage-deflate"), 101),
    ("an empty subprotocol, as centrifuge-python sends", Also("Sec-WebSocket-Protocol", ""), 101),
    ("a subprotocol nobody knows", Also("Sec-WebSocket-Protocol", "mqtt"), 101),
    ("POST", Line("POST /connection/websocket HTTP/1.1"), 405),
    ("another path", Line("GET /connection/nowhere HTTP/1.1"), 404),
    ("no host", Without("Host"), 400),
    ("no upgrade", Without("Upgrade"), 426),
    ("an upgrade to something else", With("Upgrade", "h2c"), 426),
    ("a connection that does not upgrade", With("Connection", "keep-alive"), 400),
    ("no connection header", Without("Connection"), 400),
    ("no key", Without("Sec-WebSocket-Key"), 400),
    ("a key of 15 bytes", With("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), 400),
    ("a key that is not base64", With("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="), 400),
    ("two keys", Also("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), 400),
    ("no version", Without("Sec-WebSocket-Version"), 426),
    ("version 8", With("Sec-WebSocket-Version", "8"), 426),
    ("a page of somebody else", Also("Origin", "https://evil.example"), 403),
    ("the origin of a sandboxed page", Also("Origin", "null"), 403),
];

#[tokio::test]
async fn each_malformed_handshake_gets_its_status() {
    let server = Server::serve(json!({})).await;
    let mut wrong = Vec::new();
    for (what, change, status) in TABLE {
        let response = shake(server.address, change).await;
        if response.status != *status {
            wrong.push(format!("{what}: {status} expected, {response:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_good_handshake_is_answered_as_the_rfc_shows() {
    let server = Server::serve(json!({})).await;
    let response = shake(server.address, &Also("Sec-WebSocket-Extensions", "permessage-deflate")).await;
    assert_eq!(response.status, 101);
    assert_eq!(response.header("Sec-WebSocket-Accept"), Some(ACCEPT));
    assert_eq!(response.header("Sec-WebSocket-Extensions"), None);
    assert_eq!(response.header("Sec-WebSocket-Protocol"), None);
    assert!(response.header("Upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")));
    assert!(response.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade")));
}

#[tokio::test]
async fn a_subprotocol_is_echoed_only_if_it_was_offered_and_known() {
    let server = Server::serve(json!({})).await;
    for (offered, chosen) in [
        ("centrifuge-protobuf", Some("centrifuge-protobuf")),
        ("centrifuge-json", Some("centrifuge-json")),
        ("mqtt, centrifuge-protobuf", Some("centrifuge-protobuf")),
        ("mqtt", None),
        ("", None),
    ] {
        let response = shake(server.address, &Also("Sec-WebSocket-Protocol", offered)).await;
        assert_eq!((response.status, response.header("Sec-WebSocket-Protocol")), (101, chosen), "{offered}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_would_be_accepted() {
    let server = Server::serve(json!({})).await;
    let version = shake(server.address, &With("Sec-WebSocket-Version", "8")).await;
    assert_eq!(version.header("Sec-WebSocket-Version"), Some("13"));
    let method = shake(server.address, &Line("POST /connection/websocket HTTP/1.1")).await;
    assert!(method.header("Allow").is_some_and(|methods| methods.contains("GET")), "{method:?}");
    let plain = http::get(server.address, "/connection/websocket").await;
    assert_eq!(plain.status, 426);
    assert!(
        plain.header("Upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")),
        "{plain:?}"
    );
}

#[tokio::test]
async fn heads_too_large_are_refused_before_they_are_read_to_the_end() {
    let server = Server::serve(json!({})).await;
    let head = format!("GET /connection/websocket HTTP/1.1\r\nHost: {}\r\n", server.address);
    let long = format!("{head}X-Long: {}\r\n\r\n", "a".repeat(1024 * 1024));
    assert_eq!(exchange_while_it_listens(server.address, long.as_bytes()).await.status, 431);
    let many: String = (0..10_000).map(|n| format!("X-{n}: 1\r\n")).collect();
    let many = format!("{head}{many}\r\n");
    assert_eq!(exchange_while_it_listens(server.address, many.as_bytes()).await.status, 431);
}

#[tokio::test]
async fn bytes_that_are_no_http_at_all_get_a_400() {
    let server = Server::serve(json!({})).await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"hello\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        assert_eq!(exchange(server.address, garbage).await.status, 400, "{garbage:?}");
    }
    assert_eq!(http::get(server.address, "/health").await.status, 200);
}

#[tokio::test]
async fn pages_of_allowed_origins_and_of_the_same_origin_may_connect() {
    let allowed = json!({ "client": { "allowed_origins": ["https://*.example.org"] } });
    let server = Server::serve(allowed).await;
    let own = format!("http://{}", server.address);
    for (origin, status) in [
        ("https://app.example.org", 101),
        ("https://APP.example.org", 101),
        ("http://app.example.org", 403),
        ("https://example.org.evil.example", 403),
        (own.as_str(), 101),
    ] {
        let mut headers = good(server.address);
        headers.push(("Origin".to_owned(), origin.to_owned()));
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET /connection/websocket HTTP/1.1\r\n{headers}\r\n");
        assert_eq!(exchange(server.address, request.as_bytes()).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn words_that_come_along_with_the_handshake_are_heard() {
    let server = Server::serve(json!({})).await;
    let headers: String =
        good(server.address).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let words = br#"{"id":1,"connect":{}}"#;
    let frame = [&[0x81, 0x80 | words.len() as u8, 0, 0, 0, 0], &words[..]].concat();
    let request =
        [format!("GET /connection/websocket HTTP/1.1\r\n{headers}\r\n").as_bytes(), &frame].concat();
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    stream.write_all(&request).await.expect("the server reads");
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(r#""connect":{"#) {
        let length = within("the reply", stream.read_buf(&mut answer)).await.expect("the server is there");
        assert!(length > 0, "it ended after {:?}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
}

/// As [`exchange`], for a request which the server need not read to its end.
async fn exchange_while_it_listens(address: SocketAddr, request: &[u8]) -> Response {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    let (mut from, mut to) = stream.split();
    let (_, response) = tokio::join!(to.write_all(request), http::answer(&mut from));
    response
}

//! How much a key may ask for, and how much may be under way.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{Response, answer, get, post};
use crate::support::server::{API_KEY, Server};
use crate::support::until::within;

async fn call(server: &Server, key: &str, headers: &str, method: &str, body: &str) -> Response {
    post(server.address, &format!("/api/{method}"), &format!("X-API-Key: {key}\r\n{headers}"), body).await
}

fn seconds(response: &Response) -> u64 {
    response.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("it says when")
}

#[tokio::test]
async fn a_key_that_asks_for_too_much_is_told_when_to_come_again_and_others_are_not() {
    let keys = json!([{ "name": "other", "key": "another key", "scope": "all" }]);
    let server = Server::serve(json!({ "http_api": { "rate_limit": 10, "keys": keys } })).await;
    let many: Vec<_> = (0..1_000).map(|n| format!("room-{n}")).collect();
    let body = json!({ "channels": many, "data": 1 }).to_string();
    let large = call(&server, API_KEY, "", "broadcast", &body).await;
    assert_eq!(large.status, 200, "a call is let in whole: {:.200}", large.body);
    // A thousand commands are paid for in a hundred seconds, of which one is for the burst.
    let refused = call(&server, API_KEY, "", "info", "{}").await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!((60..=99).contains(&seconds(&refused)), "{refused:?}");
    let error = json!({ "code": 111, "message": "too many requests" });
    assert_eq!(refused.json(), json!({ "error": error }));
    let refused = call(&server, API_KEY, "X-Centrifugo-Error-Mode: transport\r\n", "info", "{}").await;
    assert_eq!((refused.status, refused.json()), (429, error));
    assert_eq!(call(&server, "another key", "", "info", "{}").await.status, 200);
    let metrics = get(server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_api_turned_away_total{limit=\"rate_limit\"} 2"), "{metrics}");
}

#[tokio::test]
async fn calls_beyond_those_that_may_be_under_way_are_turned_away_before_their_body_is_read() {
    let server = Server::serve(json!({ "http_api": { "concurrency_limit": 1 } })).await;
    let mut slow = TcpStream::connect(server.address).await.expect("the server accepts");
    // The server asks for a body when it begins to read it, and then the call has its place.
    let head = format!(
        "POST /api/info HTTP/1.1\r\nHost: {}\r\nX-API-Key: {API_KEY}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        server.address
    );
    slow.write_all(head.as_bytes()).await.expect("the server reads");
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    within("the server to ask for the body", slow.read_exact(&mut go_on)).await.expect("it asks");
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", go_on.escape_ascii());
    let refused = call(&server, API_KEY, "", "info", "{}").await;
    assert_eq!((refused.status, seconds(&refused)), (503, 1), "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], 111);
    slow.write_all(b"{}").await.expect("the server reads");
    assert_eq!(within("the slow call", answer(&mut slow)).await.status, 200);
    assert_eq!(call(&server, API_KEY, "", "info", "{}").await.status, 200);
}

#[tokio::test]
async fn how_long_a_body_may_be_and_take_is_the_operators_to_say() {
    let changes = json!({
        "http_api": { "max_request_body_size": 2048 },
        "http_server": { "read_timeout": "1s" },
    });
    let server = Server::serve(changes).await;
    let padded = |bytes: usize| json!({ "channel": "a", "data": "x".repeat(bytes) }).to_string();
    assert_eq!(call(&server, API_KEY, "", "publish", &padded(1900)).await.status, 200);
    assert_eq!(call(&server, API_KEY, "", "publish", &padded(2048)).await.status, 413);
    let mut slow = TcpStream::connect(server.address).await.expect("the server accepts");
    let head = format!(
        "POST /api/info HTTP/1.1\r\nHost: {}\r\nX-API-Key: {API_KEY}\r\nContent-Length: 2\r\n\r\n{{",
        server.address
    );
    slow.write_all(head.as_bytes()).await.expect("the server reads");
    // Without the option it would be as long as a scene waits for anything.
    assert_eq!(within("the end of its patience", answer(&mut slow)).await.status, 408);
}

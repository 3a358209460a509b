//! `spanwire` alone: everything open, to this machine and nobody else.

use std::net::SocketAddr;

use serde_json::json;

use crate::support::http::{Response, exchange, get, post};
use crate::support::peer::Peer;
use crate::support::server::Server;

#[tokio::test]
async fn it_shows_the_demos_and_serves_the_client() {
    let server = Server::dev().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/demos/chat/", "text/html"),
        ("/demos/style.css", "text/css"),
        ("/spanwire.js", "text/javascript"),
    ] {
        let response = get(server.address, path).await;
        assert_eq!(response.status, 200, "{path}");
        assert!(
            response.header("Content-Type").is_some_and(|found| found.starts_with(kind)),
            "{path}: {response:?}"
        );
    }
    assert!(get(server.address, "/").await.body.contains("/demos/chat/"), "the index leads to the chat");
}

#[tokio::test]
async fn nothing_but_the_demos_and_the_client_can_be_read() {
    let server = Server::dev().await;
    for path in [
        "/demos/../Cargo.toml",
        "/demos/%2e%2e/Cargo.toml",
        "/demos/..%2fCargo.toml",
        "/demos//etc/passwd",
        "/spanwire/../package.json",
        "/spanwire/..%2fpackage.json",
        "/spanwire/%00",
    ] {
        let response = get(server.address, path).await;
        assert!([400, 404].contains(&response.status), "{path}: {response:?}");
    }
}

#[tokio::test]
async fn the_secure_profile_shows_no_demos() {
    let server = Server::serve(json!({})).await;
    for path in ["/", "/demos/chat/", "/demos/style.css"] {
        assert_eq!(get(server.address, path).await.status, 404, "{path}");
    }
    assert_eq!(
        get(server.address, "/spanwire.js").await.status,
        200,
        "pages need the client wherever they come from"
    );
}

async fn as_host(address: SocketAddr, host: &str, path: &str) -> Response {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    exchange(address, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{upgrade}\r\n").as_bytes()).await
}

#[tokio::test]
async fn a_name_that_only_points_here_is_not_answered() {
    let server = Server::dev().await;
    let port = server.address.port();
    for host in
        ["evil.example".to_owned(), format!("evil.example:{port}"), "localhost.evil.example".to_owned()]
    {
        for path in ["/", "/spanwire.js", "/metrics", "/connection/websocket", "/echo"] {
            assert_eq!(as_host(server.address, &host, path).await.status, 421, "{host}{path}");
        }
    }
    for host in
        ["localhost".to_owned(), format!("LOCALHOST:{port}"), "127.0.0.1".to_owned(), format!("[::1]:{port}")]
    {
        assert_eq!(as_host(server.address, &host, "/connection/websocket").await.status, 101, "{host}");
    }
}

#[tokio::test]
async fn its_api_needs_the_key_it_has_printed() {
    let server = Server::dev().await;
    assert_eq!(post(server.address, "/api/info", "", "{}").await.status, 401);
    let said = server.said();
    let (_, rest) = said.split_once("X-API-Key: ").expect("the key is printed");
    let key = rest.split_whitespace().next().expect("the key is printed");
    assert_eq!(post(server.address, "/api/info", &format!("X-API-Key: {key}\r\n"), "{}").await.status, 200);
}

#[tokio::test]
async fn whoever_connects_is_shown_with_the_name_they_give() {
    let server = Server::dev().await;
    let mut ana = Peer::connect_as(server.address, json!({ "data": { "name": "Ana" } })).await;
    ana.call("subscribe", json!({ "channel": "chat:lobby" })).await;
    let presence = ana.call("presence", json!({ "channel": "chat:lobby" })).await;
    let cards: Vec<_> = presence["presence"].as_object().expect("a map").values().collect();
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0]["conn_info"], json!({ "name": "Ana" }));
}

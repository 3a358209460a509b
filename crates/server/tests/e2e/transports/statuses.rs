//! What HTTP says before there is a session, or instead of one.

use serde_json::json;

use super::carrier::Carrier;
use super::streaming::{Streaming, post};
use crate::support::http::{self, exchange};
use crate::support::server::Server;

const JSON: &str = "application/json";
const OCTETS: &str = "application/octet-stream";

#[tokio::test]
async fn a_request_that_makes_no_sense_gets_the_status_that_says_so() {
    let server = Server::serve(json!({ "emulation": { "max_request_body_size": 2048 } })).await;
    let table: [(&str, &str, &[u8], u16); 12] = [
        ("/emulation", JSON, b"", 400),
        ("/emulation", JSON, b"[]", 400),
        ("/emulation", OCTETS, b"\xff", 400),
        ("/emulation", JSON, br#"{"session":"x","node":"elsewhere","data":"{}"}"#, 404),
        ("/emulation", OCTETS, b"", 404),
        ("/emulation", JSON, &[b' '; 2049], 413),
        ("/connection/http_stream", JSON, &[b' '; 65_537], 413),
        ("/connection/sse", JSON, &[b' '; 65_537], 413),
        ("/connection/poll", JSON, &[b' '; 65_537], 413),
        ("/connection/poll", JSON, b"{}", 400),
        ("/connection/poll", JSON, br#"{"session":"x","node":"elsewhere","ack":1}"#, 404),
        ("/connection/init", JSON, b"", 405),
    ];
    for (path, content_type, body, expected) in table {
        let (status, _) = post(server.address, path, content_type, body).await;
        assert_eq!(status, expected, "{path} {content_type} {:?}", String::from_utf8_lossy(body));
    }
    for (path, expected) in [
        ("/emulation", 405),
        ("/connection/http_stream", 405),
        ("/connection/poll", 405),
        ("/connection/sse", 400),
        ("/connection/init", 200),
    ] {
        assert_eq!(http::get(server.address, path).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn commands_for_a_session_that_is_not_there_change_nothing() {
    let server = Server::serve(json!({})).await;
    let opened =
        Streaming::post(server.address, "/connection/http_stream", JSON, br#"{"id":1,"connect":{}}"#);
    let line = opened.await.next().await.expect("a reply");
    let reply: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
    let node = reply["connect"]["node"].as_str().expect("a node");
    let unknown = "0".repeat(32);
    let status = Carrier::HttpStreamJson.emulate(server.address, &unknown, node, "{}".into()).await;
    assert_eq!(status, 204);
}

#[tokio::test]
async fn nobody_on_the_way_is_to_keep_a_stream() {
    let server = Server::serve(json!({})).await;
    let stream = Streaming::get(server.address, "/connection/sse?cf_connect=%7B%7D").await;
    for line in
        ["x-accel-buffering: no", "content-type: text/event-stream; charset=utf-8", "pragma: no-cache"]
    {
        assert!(stream.head.contains(line), "{line} in {}", stream.head);
    }
    assert!(stream.head.contains("cache-control: private, no-cache, no-store, must-revalidate, max-age=0"));
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_unless_its_origin_is_listed() {
    let listed = json!({ "client": { "allowed_origins": ["https://app.example.org"] } });
    let server = Server::serve(listed).await;
    let ask = async |method: &str, path: &str, origin: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Headers: content-type\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            server.address
        );
        exchange(server.address, request.as_bytes()).await
    };
    for path in ["/connection/http_stream", "/connection/sse", "/connection/poll", "/emulation"] {
        let allowed = ask("OPTIONS", path, "https://app.example.org").await;
        assert_eq!(allowed.status, 204, "{path}");
        assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.example.org"));
        assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type"));
        assert!(
            allowed.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST"))
        );
        assert_eq!(allowed.header("access-control-max-age"), Some("300"));
        for method in ["OPTIONS", "POST"] {
            let refused = ask(method, path, "https://evil.example").await;
            assert_eq!(refused.status, 403, "{method} {path}");
            assert!(refused.body.contains(r#"allowed_origins = ["https://evil.example"]"#), "{refused:?}");
            assert_eq!(refused.header("access-control-allow-origin"), None);
        }
    }
    let same = ask("GET", "/connection/init", &format!("http://{}", server.address)).await;
    assert_eq!((same.status, same.body.as_str()), (200, "{}"));
}

#[tokio::test]
async fn a_transport_that_is_off_is_not_there() {
    let off = json!({
        "http_stream": { "enabled": false }, "sse": { "enabled": false }, "poll": { "enabled": false },
    });
    let server = Server::serve(off).await;
    for path in ["/connection/http_stream", "/connection/sse", "/connection/poll", "/emulation"] {
        assert_eq!(post(server.address, path, JSON, b"{}").await.0, 404, "{path}");
    }
}

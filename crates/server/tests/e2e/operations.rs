//! What an operator looks at.

use serde_json::json;

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::until;

#[tokio::test]
async fn health_is_told_to_anyone_who_asks() {
    let server = Server::serve(json!({})).await;
    for path in ["/health", "/health?from=probe"] {
        let response = http::get(server.address, path).await;
        assert_eq!((response.status, response.body.as_str()), (200, "{}"));
    }
}

/// The value of a sample, by its name and labels as they are written.
fn figure(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Waits until a sample has this value, and says what it had instead when it never does.
async fn counted(server: &Server, name: &str, value: f64) {
    until(&format!("{name} to be {value}"), async || {
        let metrics = http::get(server.address, "/metrics").await.body;
        (figure(&metrics, name) == Some(value)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = Server::serve(json!({})).await;
    let mut ana = Peer::subscribe(server.address, "square").await;
    let ben = Peer::subscribe(server.address, "square").await;
    counted(&server, "spanwire_connections", 2.0).await;
    counted(&server, "spanwire_clients", 2.0).await;
    counted(&server, "spanwire_subscriptions", 2.0).await;
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    ana.publication().await;
    counted(&server, "spanwire_messages_received_total", 5.0).await;
    let metrics = http::get(server.address, "/metrics").await.body;
    for name in [
        "spanwire_messages_sent_total",
        "spanwire_received_bytes_total",
        "spanwire_sent_bytes_total",
        "spanwire_publish_to_write_seconds_count",
    ] {
        assert!(figure(&metrics, name).is_some_and(|value| value > 0.0), "{name} in\n{metrics}");
    }
    assert_eq!(figure(&metrics, "spanwire_outbox_overflows_total"), Some(0.0));
    ben.leave().await;
    counted(&server, "spanwire_connections", 1.0).await;
    let mut rude = Peer::connect(server.address).await;
    rude.text("garbage").await;
    rude.closed().await;
    counted(&server, "spanwire_disconnects_total{code=\"3501\"}", 1.0).await;
}

#[tokio::test]
async fn metrics_tell_what_was_refreshed_and_what_has_expired() {
    let server = Server::serve(json!({})).await;
    counted(&server, "spanwire_expired_total{what=\"subscription\"}", 0.0).await;
    let good = |claims: serde_json::Value| {
        let mut all = json!({ "sub": "ana", "exp": seconds_from_now(600) });
        all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        signed(all)
    };
    let mut ana = Peer::connect_as(server.address, json!({ "token": good(json!({})) })).await;
    let of_channel = good(json!({ "channel": "closed:a" }));
    ana.call("subscribe", json!({ "channel": "closed:a", "token": of_channel })).await;
    ana.call("refresh", json!({ "token": good(json!({})) })).await;
    ana.call("sub_refresh", json!({ "channel": "closed:a", "token": of_channel })).await;
    let over = good(json!({ "exp": seconds_from_now(-60) }));
    ana.text(&json!({ "id": 100, "refresh": { "token": over } }).to_string()).await;
    assert_eq!(ana.closed().await.0, 3005);
    for (name, value) in [
        ("spanwire_refreshes_total{what=\"connection\",outcome=\"in_time\"}", 1.0),
        ("spanwire_refreshes_total{what=\"subscription\",outcome=\"in_time\"}", 1.0),
        ("spanwire_refreshes_total{what=\"connection\",outcome=\"late\"}", 0.0),
        ("spanwire_refreshes_total{what=\"connection\",outcome=\"refused\"}", 1.0),
        ("spanwire_expired_total{what=\"connection\"}", 1.0),
        ("spanwire_expired_total{what=\"subscription\"}", 0.0),
    ] {
        counted(&server, name, value).await;
    }
}

#[tokio::test]
async fn metrics_name_the_reason_of_each_failed_handshake() {
    let server = Server::serve(json!({})).await;
    http::get(server.address, "/connection/websocket").await;
    let metrics = http::get(server.address, "/metrics").await.body;
    let failures =
        metrics.lines().filter(|line| line.starts_with("spanwire_handshake_failures_total{reason="));
    assert_eq!(failures.filter(|line| line.ends_with(" 1")).count(), 1, "{metrics}");
}

#[tokio::test]
async fn metrics_are_in_the_format_that_prometheus_reads() {
    let server = Server::serve(json!({})).await;
    let response = http::get(server.address, "/metrics").await;
    assert!(
        response.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4"))
    );
    for line in response.body.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("spanwire_") || name.starts_with("process_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

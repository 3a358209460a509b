//! What an operator looks at.

use serde_json::json;

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::until;

#[tokio::test]
async fn health_is_told_to_anyone_who_asks() {
    let server = Server::serve(json!({})).await;
    assert_eq!(http::get(server.address, "/health").await.status, 200);
    assert_eq!(http::get(server.address, "/health?from=probe").await.status, 200);
}

/// The sum of every sample whose name has all of these words.
fn figure(metrics: &str, words: &[&str]) -> f64 {
    let samples = metrics.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.filter(|line| words.iter().all(|word| line.contains(word)));
    samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = Server::serve(json!({})).await;
    let metrics = async || http::get(server.address, "/metrics").await.body;
    let figures = async |name: &str, words: &[&str], wanted: f64| {
        until(name, async || (figure(&metrics().await, words) == wanted).then_some(())).await;
    };
    let mut ana = Peer::subscribe(server.address, "square").await;
    let _ben = Peer::subscribe(server.address, "square").await;
    figures("two connections", &["spanwire_connections", "websocket"], 2.0).await;
    figures("two subscriptions", &["spanwire_subscriptions"], 2.0).await;
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    ana.publication().await;
    let text = metrics().await;
    for words in [
        &["spanwire_messages", "in"][..],
        &["spanwire_messages", "out"],
        &["spanwire_bytes", "in"],
        &["spanwire_bytes", "out"],
        &["spanwire_publish_to_write", "count"],
    ] {
        assert!(figure(&text, words) > 0.0, "{words:?} in\n{text}");
    }
    let mut rude = Peer::connect(server.address).await;
    rude.text("garbage").await;
    rude.closed().await;
    figures("its disconnect", &["disconnects", "3501"], 1.0).await;
    http::get(server.address, "/connection/websocket").await;
    figures("the failed handshake", &["handshake_failures"], 1.0).await;
    assert!(text.contains("overflow"), "outbox overflows are counted:\n{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("spanwire_"), "{line}");
        let figure = line.rsplit_once(' ').expect("name and figure").1;
        assert!(figure.parse::<f64>().is_ok(), "{line}");
    }
}

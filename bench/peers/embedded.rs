//! Spanwire within an axum application, as a peer of the server: `bench --peer target/release/examples/embedded`.
//! The same options as the server gets from this bench, and one shard too.

use axum::Router;
use serde_json::{Value, json};
use spanwire::{Hub, termination};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(port)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: embedded HOST PORT");
    };
    let hub = Hub::builder()
        .anonymous()
        .shards(1)
        .option("client.connection_rate_limit", 0)
        .option("websocket.message_size_limit", 131_072)
        .option("channel.namespaces", namespaces())
        .build()
        .await?;
    let listener = tokio::net::TcpListener::bind((host, port.parse()?)).await?;
    println!("ready");
    let app = Router::new().merge(hub.router());
    axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(termination())).await?;
    Ok(())
}

/// The families of channels that the server has too: whoever comes may subscribe and publish.
fn namespaces() -> Value {
    let open = json!({
        "name": "bench",
        "allow_subscribe_for_client": true,
        "allow_subscribe_for_anonymous": true,
        "allow_publish_for_client": true,
        "allow_publish_for_anonymous": true,
    });
    let mut kept = open.clone();
    kept["name"] = json!("rec");
    kept["history_size"] = json!(100);
    kept["history_ttl"] = json!("300s");
    kept["force_recovery"] = json!(true);
    json!([open, kept])
}

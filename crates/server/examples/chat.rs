//! A chat in an axum application, in ten lines. `cargo run -p spanwire --example chat`, then open the address in two
//! windows.

use std::time::Duration;

use axum::{Router, response::Html, routing::get};
use serde_json::Value;
use spanwire::{Accept, ConnectCtx, Hub, Namespace, termination};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let room = Namespace::open().history(50, Duration::from_secs(86_400)).recover().presence().join_leave();
    let introduce = async |c: ConnectCtx| Ok(Accept::anonymous().info(c.data::<Value>()?));
    let hub = Hub::builder().namespace("chat", room).on_connect(introduce).build().await?;
    let page = get(async || Html(include_str!("chat.html")));
    let app = Router::new().route("/", page).merge(hub.router());
    let address = std::env::args().nth(1).unwrap_or("localhost:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(termination())).await?;
    Ok(())
}

//! Tokens that expire, and clients that have new ones in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use spanwire_client::{Client, ClientEvent, Ended, TokenError};

use crate::support::server::Server;
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::{until, within};

#[tokio::test]
async fn a_connection_outlives_its_tokens() {
    let server = Server::serve(json!({ "client": { "expired_close_delay": "1s" } })).await;
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let provider = move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, TokenError>(signed(json!({ "sub": "ana", "exp": seconds_from_now(3) }))) }
    };
    let client = Client::builder(server.websocket()).token_provider(provider).connect().expect("an address");
    let mut events = client.events();
    // The third token is asked for when the first one has been dead for a while.
    until("three tokens", async || (asked.load(Ordering::Relaxed) >= 3).then_some(())).await;
    client.publish("square", &1).await.expect("the connection lives");
    client.close().await;
    let mut disconnects = 0;
    while let Some(event) = within("the end", events.next()).await {
        disconnects += u32::from(matches!(event, ClientEvent::Disconnected(_)));
    }
    assert_eq!(disconnects, 0, "the same connection all the time");
}

#[tokio::test]
async fn a_token_that_has_expired_while_nobody_was_there_is_replaced() {
    let server = Server::serve(json!({})).await;
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let provider = move || {
        let lifetime = if count.fetch_add(1, Ordering::Relaxed) == 0 { -60 } else { 600 };
        async move { Ok(signed(json!({ "sub": "ana", "exp": seconds_from_now(lifetime) }))) }
    };
    let client = Client::builder(server.websocket()).token_provider(provider).connect().expect("an address");
    within("the connection", client.ready()).await.expect("the second token is good");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_forged_token_ends_the_client() {
    let server = Server::serve(json!({})).await;
    let client = Client::builder(server.websocket()).token("forged").connect().expect("an address");
    assert_eq!(within("the end", client.closed()).await.code, 3500);
    let client = Client::builder(server.websocket())
        .token_provider(|| async { Err(TokenError::unauthorized()) })
        .connect()
        .expect("an address");
    assert_eq!(within("the end", client.closed()).await.code, Ended::NO_TOKEN);
}

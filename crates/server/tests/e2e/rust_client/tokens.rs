//! Tokens that expire, and clients that have new ones in time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use spanwire_client::{Client, ClientEvent, Ended, Event, Raw, TokenError};

use crate::support::http;
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

#[tokio::test]
async fn a_subscription_outlives_its_tokens() {
    let server = Server::serve(json!({ "client": { "expired_sub_close_delay": "1s" } })).await;
    let client = Client::builder(server.websocket()).connect().expect("an address");
    let given = Arc::new(Mutex::new(BTreeSet::new()));
    let gives = given.clone();
    let provider = move || {
        let token =
            signed(json!({ "sub": "", "channel": "closed:room", "exp": seconds_from_now(3), "iat": 0 }));
        gives.lock().expect("nobody panics with it").insert(token.clone());
        async move { Ok::<_, TokenError>(token) }
    };
    let room = client.channel::<Raw>("closed:room").token_provider(provider);
    let mut room = within("the subscription", room.subscribe()).await.expect("the token opens it");
    // The third token is asked for when the first one has been dead for a while.
    until("three tokens", async || (given.lock().expect("nobody panics with it").len() >= 3).then_some(()))
        .await;
    http::api(server.address, "publish", &json!({ "channel": "closed:room", "data": "still here" })).await;
    loop {
        match within("the publication", room.next()).await.expect("the subscription lives") {
            Event::Publication(publication) => break assert_eq!(publication.data.0, "\"still here\""),
            Event::Subscribed(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_channel_without_a_token_is_refused_and_a_token_of_another_one_ends_the_client() {
    let server = Server::serve(json!({})).await;
    let client = Client::builder(server.websocket()).connect().expect("an address");
    let nobody = || async { Err(TokenError::unauthorized()) };
    let refused = client.channel::<Raw>("closed:room").token_provider(nobody).subscribe();
    let refused = within("the refusal", refused).await.expect_err("there is no token");
    assert_eq!(refused.code, Ended::NO_TOKEN);
    let refused = client.channel::<Raw>("closed:room").subscribe();
    assert_eq!(within("the refusal", refused).await.expect_err("it is closed").code, 103);
    let other = signed(json!({ "sub": "", "channel": "closed:other" }));
    let ended = client.channel::<Raw>("closed:room").token(other).subscribe();
    assert_eq!(within("the end", ended).await.expect_err("it is for another channel").code, 3500);
    assert_eq!(within("the end", client.closed()).await.code, 3500);
}

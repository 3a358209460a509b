//! Who a connection is, and until when.

use serde_json::json;

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::{seconds_from_now, signed};

#[tokio::test]
async fn a_token_says_who_is_there() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "info": { "name": "Ana" } }));
    let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    let presence = ana.call("presence", json!({ "channel": "square" })).await;
    let cards: Vec<_> = presence["presence"].as_object().expect("a map").values().collect();
    let [card] = cards[..] else { panic!("{presence}") };
    assert_eq!((&card["user"], &card["conn_info"]), (&json!("ana"), &json!({ "name": "Ana" })));
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    assert_eq!(ana.push("pub").await["pub"]["info"]["user"], "ana");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_unless_the_server_is_told_so() {
    let server = Server::serve(json!({ "client": { "allow_anonymous_connect_without_token": false } })).await;
    let mut peer = Peer::open(server.address).await;
    peer.text(r#"{"id":1,"connect":{}}"#).await;
    assert_eq!(peer.closed().await.0, 3501);
    let token = signed(json!({ "sub": "ana" }));
    Peer::connect_as(server.address, json!({ "token": token })).await;
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_a_forged_one() {
    let server = Server::serve(json!({})).await;
    let expired = signed(json!({ "sub": "ana", "exp": seconds_from_now(-60) }));
    let mut peer = Peer::open(server.address).await;
    assert_eq!(peer.refusal("connect", json!({ "token": expired })).await, 109);
    // A connection whose connect was refused is of no use any more.
    peer.text(r#"{"id":2,"connect":{}}"#).await;
    assert_eq!(peer.closed().await.0, 3501);
    for forged in
        [format!("{expired}x"), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.".to_owned(), "x".to_owned()]
    {
        let mut peer = Peer::open(server.address).await;
        peer.text(&json!({ "id": 1, "connect": { "token": forged } }).to_string()).await;
        assert_eq!(peer.closed().await, (3500, "invalid token".to_owned()));
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_it_is_renewed() {
    let server = Server::serve(json!({ "client": { "expired_close_delay": "1s" } })).await;
    let short = || signed(json!({ "sub": "ana", "exp": seconds_from_now(2) }));
    let mut careless = Peer::open(server.address).await;
    let result = careless.call("connect", json!({ "token": short() })).await;
    assert_eq!(result["expires"], true);
    assert!(result["ttl"].as_u64().is_some_and(|ttl| (1..=2).contains(&ttl)), "{result}");
    let mut careful = Peer::connect_as(server.address, json!({ "token": short() })).await;
    let long = signed(json!({ "sub": "ana", "exp": seconds_from_now(600) }));
    let result = careful.call("refresh", json!({ "token": long })).await;
    assert_eq!(result["expires"], true);
    assert!(result["ttl"].as_u64().is_some_and(|ttl| (598..=600).contains(&ttl)), "{result}");
    assert_eq!(careless.closed().await, (3005, "connection expired".to_owned()));
    // Both tokens expired in the same second; by now the other connection would be gone as well.
    careful.call("subscribe", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn a_connection_cannot_be_renewed_with_the_token_of_somebody_else() {
    let server = Server::serve(json!({})).await;
    for (claims, code) in [
        (json!({ "sub": "ben", "exp": seconds_from_now(600) }), 3500),
        (json!({ "sub": "ana", "exp": seconds_from_now(-60) }), 3005),
    ] {
        let token = signed(json!({ "sub": "ana", "exp": seconds_from_now(60) }));
        let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
        ana.text(&json!({ "id": 9, "refresh": { "token": signed(claims) } }).to_string()).await;
        assert_eq!(ana.closed().await.0, code);
    }
}

#[tokio::test]
async fn channels_of_the_token_need_no_permission_and_no_command() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "channels": ["closed:news", "square"] }));
    let mut ana = Peer::open(server.address).await;
    let result = ana.call("connect", json!({ "token": token })).await;
    let subs = result["subs"].as_object().expect("a map");
    assert_eq!(subs.keys().collect::<Vec<_>>(), ["closed:news", "square"]);
    assert_eq!(subs["square"]["recoverable"], true);
    http::api(server.address, "publish", &json!({ "channel": "closed:news", "data": "extra" })).await;
    let push = ana.push("pub").await;
    assert_eq!((&push["channel"], &push["pub"]["data"]), (&json!("closed:news"), &json!("extra")));
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "square" })).await, 105);
}

#[tokio::test]
async fn a_token_for_a_namespace_that_does_not_exist_opens_nothing() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "channels": ["nowhere:news"] }));
    let mut ana = Peer::open(server.address).await;
    assert_eq!(ana.refusal("connect", json!({ "token": token })).await, 102);
}

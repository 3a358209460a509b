//! The channels that users have of their own.

use serde_json::json;

use crate::support::http::api;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::signed;

#[tokio::test]
async fn a_user_hears_what_is_published_to_it_on_each_of_its_connections() {
    let server = Server::serve(json!({
        "client": { "subscribe_to_user_personal_channel": {
            "enabled": true, "personal_channel_namespace": "me",
        } },
        "channel": { "namespaces": [{ "name": "me", "allow_user_limited_channels": true }] },
    }))
    .await;
    let token = signed(json!({ "sub": "ana" }));
    let mut devices = Vec::new();
    for _ in 0..2 {
        let mut device = Peer::open(server.address).await;
        let result = device.call("connect", json!({ "token": token })).await;
        assert!(result["subs"]["me:#ana"].is_object(), "{result}");
        devices.push(device);
    }
    api(server.address, "publish", &json!({ "channel": "me:#ana", "data": "hello" })).await;
    for device in &mut devices {
        assert_eq!(device.publication().await, "hello");
    }
    let mut ben = Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "ben" })) })).await;
    assert_eq!(ben.refusal("subscribe", json!({ "channel": "me:#ana" })).await, 103);
}

#[tokio::test]
async fn a_user_with_one_connection_keeps_the_newest_whichever_shard_it_is_on() {
    let server = Server::serve(json!({
        "engine": { "shards": 2 },
        "client": { "subscribe_to_user_personal_channel": { "enabled": true, "single_connection": true } },
    }))
    .await;
    let connect = async |user: &str| {
        Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": user })) })).await
    };
    let mut bystander = connect("ben").await;
    let mut newest = connect("ana").await;
    for _ in 0..8 {
        let mut older = std::mem::replace(&mut newest, connect("ana").await);
        assert_eq!(older.closed().await, (3504, "connection limit".to_owned()));
    }
    for peer in [&mut newest, &mut bystander] {
        peer.call("publish", json!({ "channel": "plain:x", "data": 1 })).await;
    }
}

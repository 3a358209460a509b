//! Who may do what in a channel, and what the log says of those who may not.

mod page;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::signed;
use crate::support::until::until;

async fn connected(server: &Server, claims: Value) -> Peer {
    Peer::connect_as(server.address, json!({ "token": signed(claims) })).await
}

#[tokio::test]
async fn capabilities_of_a_token_open_what_a_namespace_keeps_shut() {
    let server = Server::serve(json!({})).await;
    let caps = json!([
        { "channels": ["closed:*"], "match": "wildcard", "allow": ["sub"] },
        { "channels": ["closed:news"], "allow": ["pub"] },
        { "channels": ["closed:[0-9]+"], "match": "regex", "allow": ["sub", "pub"] },
    ]);
    let mut ana = connected(&server, json!({ "sub": "ana", "caps": caps })).await;
    let mut ben = connected(&server, json!({ "sub": "ben" })).await;
    for channel in ["closed:news", "closed:7"] {
        ana.call("subscribe", json!({ "channel": channel })).await;
        ana.call("publish", json!({ "channel": channel, "data": channel })).await;
        assert_eq!(ana.publication().await, channel);
        assert_eq!(ben.refusal("subscribe", json!({ "channel": channel })).await, 103);
        assert_eq!(ben.refusal("publish", json!({ "channel": channel, "data": 1 })).await, 103);
    }
    ana.call("subscribe", json!({ "channel": "closed:other" })).await;
    assert_eq!(ana.refusal("publish", json!({ "channel": "closed:other", "data": 1 })).await, 103);
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "$closed:news" })).await, 103);
}

#[tokio::test]
async fn a_token_with_capabilities_that_make_no_sense_is_no_token() {
    let server = Server::serve(json!({})).await;
    let many: Vec<_> = (0..300).map(|number| format!("c{number}")).collect();
    let table = [
        json!([{ "channels": ["a"], "match": "prefix", "allow": ["sub"] }]),
        json!([{ "channels": ["a"], "allow": ["everything"] }]),
        json!([{ "channels": ["("], "match": "regex", "allow": ["sub"] }]),
        json!([{ "channels": many, "allow": ["sub"] }]),
        json!({ "channels": ["a"], "allow": ["sub"] }),
    ];
    for caps in table {
        let mut peer = Peer::open(server.address).await;
        let token = signed(json!({ "sub": "ana", "caps": caps }));
        peer.text(&json!({ "id": 1, "connect": { "token": token } }).to_string()).await;
        assert_eq!(peer.closed().await.0, 3500, "{caps}");
    }
}

#[tokio::test]
async fn a_subscription_token_says_what_its_subscriber_may_do() {
    let server = Server::serve(json!({})).await;
    let mut ana = connected(&server, json!({ "sub": "ana" })).await;
    let publish = json!({ "channel": "$closed:x", "data": 1 });
    assert_eq!(ana.refusal("publish", publish.clone()).await, 103);
    let token = signed(json!({ "sub": "ana", "channel": "$closed:x", "allow": ["pub"] }));
    ana.call("subscribe", json!({ "channel": "$closed:x", "token": token })).await;
    ana.call("publish", publish.clone()).await;
    let mut ben = connected(&server, json!({ "sub": "ben" })).await;
    let caps = json!([{ "channels": ["*"], "match": "wildcard", "allow": ["pub"] }]);
    let token = signed(json!({ "sub": "ben", "channel": "$closed:x", "caps": caps }));
    ben.call("subscribe", json!({ "channel": "$closed:x", "token": token })).await;
    ben.call("publish", publish).await;
    // What it was given holds for this subscription only.
    assert_eq!(ben.refusal("publish", json!({ "channel": "closed:x", "data": 1 })).await, 103);
}

#[tokio::test]
async fn a_backend_gives_capabilities_to_a_connection_and_to_a_subscription() {
    let backend = Backend::start(|asked| {
        let answer = match asked.path.as_str() {
            "/connect" => json!({
                "user": "ana",
                "caps": [{ "channels": ["closed:*"], "match": "wildcard", "allow": ["sub"] }],
            }),
            _ => json!({ "allow": ["pub"] }),
        };
        (200, json!({ "result": answer }))
    })
    .await;
    let mut connect = backend.proxy("/connect");
    connect["enabled"] = true.into();
    let server = Server::serve(json!({
        "client": { "proxy": { "connect": connect } },
        "channel": {
            "proxy": { "subscribe": backend.proxy("/subscribe") },
            "namespaces": [{ "name": "closed" }, { "name": "asked", "subscribe_proxy_enabled": true }],
        },
    }))
    .await;
    let mut ana = Peer::connect(server.address).await;
    ana.call("subscribe", json!({ "channel": "closed:x" })).await;
    assert_eq!(ana.refusal("publish", json!({ "channel": "closed:x", "data": 1 })).await, 103);
    ana.call("subscribe", json!({ "channel": "asked:x" })).await;
    ana.call("publish", json!({ "channel": "asked:x", "data": 1 })).await;
}

#[tokio::test]
async fn a_denial_tells_the_operator_what_would_have_allowed_it_and_the_stranger_only_the_code() {
    let server = Server::serve(json!({})).await;
    let mut ana = connected(&server, json!({ "sub": "ana\nERROR" })).await;
    let reply = ana.reply("publish", json!({ "channel": "closed:x", "data": 1 })).await;
    assert_eq!(reply["error"], json!({ "code": 103, "message": "permission denied" }));
    let told = until("the denial to be logged", async || {
        let said = server.said();
        said.lines().find(|line| line.contains("denied: ")).map(str::to_owned)
    })
    .await;
    let expected = "may not publish into \"closed:x\": allow_publish_for_client of namespace \"closed\" would let it, \
                    or \"pub\" in the claim caps of its connection token";
    assert!(told.contains(r#"user "ana\nERROR" (client "#) && told.contains(expected), "{told}");

    // However often somebody knocks, it is a few lines and a number.
    for _ in 0..100 {
        ana.refusal("subscribe", json!({ "channel": "nowhere:x" })).await;
    }
    let metrics = get(server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_denials_total{reason=\"unknown_namespace\"} 100"), "{metrics}");
    assert!(metrics.contains("spanwire_denials_total{reason=\"not_permitted\"} 1"), "{metrics}");
    let lines = server.said().lines().filter(|line| line.contains("denied: ")).count();
    assert!(lines <= 10, "{lines}");
}

#[tokio::test]
async fn a_channel_has_as_many_subscribers_as_it_may_whichever_shards_they_are_on() {
    const PLACES: usize = 3;
    const PEERS: usize = 12;
    let small = json!({ "name": "small", "allow_subscribe_for_client": true, "max_subscribers": PLACES });
    let server =
        Server::serve(json!({ "engine": { "shards": 4 }, "channel": { "namespaces": [small] } })).await;
    let room = json!({ "channel": "small:x" });
    let mut peers = Vec::new();
    for user in 0..PEERS {
        peers.push(connected(&server, json!({ "sub": user.to_string() })).await);
    }
    let asking = peers.iter_mut().map(|peer| peer.reply("subscribe", room.clone()));
    let replies = join_all(asking).await;
    let is_in = |reply: &Value| reply["error"].is_null();
    assert_eq!(replies.iter().filter(|reply| is_in(reply)).count(), PLACES);
    let refused = replies.iter().filter(|reply| !is_in(reply));
    assert!(refused.clone().all(|reply| reply["error"]["code"] == 106), "{replies:?}");
    let metrics = get(server.address, "/metrics").await.body;
    let counted = format!("spanwire_denials_total{{reason=\"full\"}} {}", refused.count());
    assert!(metrics.contains(&counted), "{metrics}");
    let told = "it has as many subscribers as max_subscribers of namespace \"small\" lets it have";
    until("the denial to be logged", async || server.said().contains(told).then_some(())).await;

    // One asks to leave, and the others are gone without a word. Each place is somebody else's then.
    let (inside, mut outside): (Vec<_>, Vec<_>) =
        peers.into_iter().zip(&replies).partition(|(_, reply)| is_in(reply));
    let mut inside = inside.into_iter();
    if let Some((mut peer, _)) = inside.next() {
        peer.call("unsubscribe", room.clone()).await;
    }
    drop(inside);
    for (peer, _) in &mut outside[..PLACES] {
        let subscribe = async || peer.reply("subscribe", room.clone()).await["error"].is_null().then_some(());
        until("a place to be free", subscribe).await;
    }
    assert_eq!(outside[PLACES].0.refusal("subscribe", room).await, 106);
}

#[tokio::test]
async fn channels_may_have_the_names_that_their_namespace_says() {
    let server = Server::serve(json!({ "channel": { "namespaces": [
        { "name": "street", "allow_subscribe_for_client": true, "channel_regex": "^[a-z\u{e9}]+$" },
    ] } }))
    .await;
    let mut ana = connected(&server, json!({ "sub": "ana" })).await;
    ana.call("subscribe", json!({ "channel": "street:all\u{e9}e" })).await;
    for channel in ["street:7", "street:", "caf\u{e9}"] {
        assert_eq!(ana.refusal("subscribe", json!({ "channel": channel })).await, 107, "{channel}");
    }
}

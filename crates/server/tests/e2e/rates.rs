//! How often somebody may ask: a client, a channel, and what a client at its limit is told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::signed;
use crate::support::until::within;

/// Sends one command until it is refused, and returns the error.
async fn refused(peer: &mut Peer, method: &str, request: &Value) -> Value {
    within("a refusal", async {
        loop {
            let mut reply = peer.reply(method, request.clone()).await;
            if !reply["error"].is_null() {
                return reply["error"].take();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_client_at_its_limit_is_told_when_to_come_again() {
    let server =
        Server::serve(json!({ "client": { "command_rate_limit": 2, "rate_limit_window": "64s" } })).await;
    let (mut stock, mut ours) = (
        Peer::connect(server.address).await,
        Peer::connect_as(server.address, json!({ "headers": { "spanwire": "1" } })).await,
    );
    let publish = json!({ "channel": "plain:x", "data": 1 });
    let error = refused(&mut stock, "publish", &publish).await;
    assert_eq!((&error["code"], &error["temporary"]), (&json!(111), &json!(true)), "{error}");
    let message = error["message"].as_str().expect("a text");
    assert!(message.starts_with("too many requests: try again in ") && message.ends_with(" ms"), "{message}");
    assert!(error["sw_retry_after"].is_null(), "{error}");

    let error = refused(&mut ours, "publish", &publish).await;
    let told = Duration::from_millis(error["sw_retry_after"].as_u64().expect("a time"));
    // A client that does as it is told is not refused again.
    tokio::time::sleep(told).await;
    ours.call("publish", publish.clone()).await;
    let metrics = get(server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_rate_limited_total{limit=\"command_rate_limit\"} 2"), "{metrics}");
}

#[tokio::test]
async fn a_client_that_goes_on_regardless_is_let_go_and_may_come_back() {
    let server =
        Server::serve(json!({ "client": { "command_rate_limit": 1, "rate_limit_window": "1s" } })).await;
    let mut peer = Peer::connect(server.address).await;
    // The window is widened to all channels that a client may come back with: 128 commands, and as long again.
    let flood = json!({ "id": 7, "presence_stats": { "channel": "x" } }).to_string();
    let flood = vec![flood; 1500].join("\n");
    peer.text(&flood).await;
    assert_eq!(peer.closed().await, (3013, "too many requests".to_owned()));
    Peer::connect(server.address).await;
}

#[tokio::test]
async fn a_client_may_come_back_to_all_of_its_channels_at_once() {
    let server = Server::serve(json!({ "client": {
        "channel_limit": 1000, "command_rate_limit": 1000, "byte_rate_limit": 1 << 20, "subscribe_rate_limit": 100,
    } })).await;
    let mut peer = Peer::connect(server.address).await;
    let subscribe =
        |number| json!({ "id": number + 2, "subscribe": { "channel": format!("plain:{number}") } });
    let all: Vec<_> = (0..1000).map(|number| subscribe(number).to_string()).collect();
    peer.text(&all.join("\n")).await;
    for reply in peer.replies(1000).await {
        assert!(reply["error"].is_null(), "{reply}");
    }
    // The channels are as many as may be; one more is another limit.
    assert_eq!(peer.refusal("subscribe", json!({ "channel": "plain:more" })).await, 106);
}

#[tokio::test]
async fn a_channel_takes_so_much_from_all_its_clients_together() {
    let server = Server::serve(json!({ "channel": { "namespaces": [{
        "name": "slow", "publish_rate_limit": 1,
        "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
        "allow_publish_for_client": true, "allow_publish_for_anonymous": true,
    }] } }))
    .await;
    let mut listener = Peer::subscribe(server.address, "slow:x").await;
    let mut passed = 0;
    for _ in 0..3 {
        let mut publisher = Peer::connect(server.address).await;
        for _ in 0..4 {
            let reply = publisher.reply("publish", json!({ "channel": "slow:x", "data": 1 })).await;
            match &reply["error"] {
                Value::Null => passed += 1,
                error => assert_eq!(error["code"], 111, "{error}"),
            }
        }
    }
    assert!((5..12).contains(&passed), "a window of five seconds passes, and not all: {passed}");
    listener.publications(passed).await;
}

#[tokio::test]
async fn an_address_with_too_many_bad_tokens_waits_with_good_ones_and_others_do_not() {
    // Addresses of this machine are not counted, so the server trusts the tests as a proxy of clients from afar.
    let server = Server::serve(json!({
        "client": { "ip_auth_failure_rate_limit": 1 },
        "http_server": { "trusted_proxies": ["127.0.0.1"] },
    }))
    .await;
    let arrive = |client| async move {
        Peer::open_with(server.address, "x-forwarded-for", client).await.expect("the door is open")
    };
    let good = json!({ "token": signed(json!({ "sub": "ann" })), "headers": { "spanwire": "1" } });
    let mut flood = arrive("203.0.113.1").await;
    flood.call("connect", good.clone()).await;
    let told = within("a good token that is refused", async {
        loop {
            // Each time the address is at its limit again, for a second at most.
            let bad = json!({ "channel": "plain:x", "token": "x.y.z" });
            while flood.refusal("subscribe", bad.clone()).await != 111 {}
            let error = arrive("203.0.113.1").await.reply("connect", good.clone()).await["error"].take();
            if !error.is_null() {
                assert_eq!((&error["code"], &error["temporary"]), (&json!(111), &json!(true)), "{error}");
                break Duration::from_millis(error["sw_retry_after"].as_u64().expect("a time"));
            }
        }
    })
    .await;
    arrive("203.0.113.2").await.call("connect", good.clone()).await;
    let metrics = get(server.address, "/metrics").await.body;
    let name = "spanwire_rate_limited_total{limit=\"ip_auth_failure_rate_limit\"} ";
    assert!(metrics.contains(name), "{metrics}");
    // Who does as it is told is not refused again.
    tokio::time::sleep(told).await;
    arrive("203.0.113.1").await.call("connect", good).await;
}

#[tokio::test]
async fn publications_have_the_format_that_their_namespace_says() {
    let open = json!({ "allow_publish_for_client": true, "allow_publish_for_anonymous": true });
    let with = |name: &str, format: &str| {
        let mut namespace = open.clone();
        namespace["name"] = name.into();
        namespace["publication_data_format"] = format.into();
        namespace
    };
    let namespaces = [with("any", ""), with("object", "json_object")];
    let server = Server::serve(json!({ "channel": { "namespaces": namespaces } })).await;
    let mut peer = Peer::connect(server.address).await;
    peer.call("publish", json!({ "channel": "any:x", "data": 1 })).await;
    peer.call("publish", json!({ "channel": "object:x", "data": { "a": 1 } })).await;
    assert_eq!(peer.refusal("publish", json!({ "channel": "object:x", "data": [1] })).await, 107);
    let by_backend = crate::support::http::api(
        server.address,
        "publish",
        &json!({ "channel": "object:x", "data": "text" }),
    )
    .await;
    assert_eq!(by_backend["error"]["code"], 107, "{by_backend}");
}

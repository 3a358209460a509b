//! What every transport must do, told once.

use serde_json::{Value, json};

use super::carrier::Carrier;
use super::client::Client;
use crate::support::http::{api, get};
use crate::support::server::Server;
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::{until, within};

pub(super) async fn replies_come_in_the_order_of_their_commands(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut client = Client::connect(server.address, carrier).await;
    let publish = |id: u64| json!({ "id": id, "publish": { "channel": "square", "data": id } });
    let subscribe = json!({ "id": 10, "subscribe": { "channel": "square" } });
    client.send_all(&[subscribe, publish(11), publish(12)]).await;
    assert_eq!(client.ids(3).await, [10, 11, 12]);
    assert_eq!(client.publications(2).await, [11, 12]);
}

pub(super) async fn publications_reach_everybody_whoever_published_them(carrier: Carrier) {
    let server = Server::serve(json!({ "engine": { "shards": 2 } })).await;
    let mut ana = Client::subscribe(server.address, carrier, "square").await;
    let mut ben = Client::subscribe(server.address, Carrier::WebSocketJson, "square").await;
    ana.call("publish", json!({ "channel": "square", "data": "from Ana" })).await;
    ben.call("publish", json!({ "channel": "square", "data": { "from": "Ben" } })).await;
    api(server.address, "publish", &json!({ "channel": "square", "data": "from the backend" })).await;
    let expected = [json!("from Ana"), json!({ "from": "Ben" }), json!("from the backend")];
    assert_eq!(ana.publications(3).await, expected);
    assert_eq!(ben.publications(3).await, expected);
}

pub(super) async fn what_was_missed_is_recovered_once_and_in_order(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut first = Client::connect(server.address, carrier).await;
    let subscribed = first.call("subscribe", json!({ "channel": "square" })).await;
    publish(&server, "square", 1..=2).await;
    assert_eq!(first.publications(2).await, [1, 2]);
    drop(first);
    publish(&server, "square", 3..=5).await;
    let mut second = Client::connect(server.address, carrier).await;
    let since = json!({ "channel": "square", "recover": true, "offset": 2, "epoch": subscribed["epoch"] });
    let result = second.call("subscribe", since).await;
    assert_eq!(result["recovered"], true, "{result}");
    assert_eq!(data(&result), [3, 4, 5]);
    publish(&server, "square", 6..=6).await;
    assert_eq!(second.publications(1).await, [6]);
}

pub(super) async fn a_gap_is_told(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut first = Client::connect(server.address, carrier).await;
    let subscribed = first.call("subscribe", json!({ "channel": "small:room" })).await;
    drop(first);
    publish(&server, "small:room", 1..=5).await;
    let mut second = Client::connect(server.address, carrier).await;
    let since =
        json!({ "channel": "small:room", "recover": true, "offset": 0, "epoch": subscribed["epoch"] });
    let result = second.call("subscribe", since).await;
    assert_eq!((&result["was_recovering"], &result["recovered"]), (&json!(true), &Value::Null), "{result}");
    assert_eq!(result["offset"], 5);
}

pub(super) async fn members_see_each_other_come_and_go(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut ana = Client::subscribe(server.address, Carrier::WebSocketJson, "square").await;
    ana.push("join").await;
    let token = signed(json!({ "sub": "ben" }));
    let settings = json!({ "token": token });
    let mut ben = Client::connect_as(server.address, carrier, settings).await;
    ben.call("subscribe", json!({ "channel": "square" })).await;
    assert_eq!(ana.push("join").await["join"]["info"]["user"], "ben");
    let presence = ben.call("presence", json!({ "channel": "square" })).await;
    assert_eq!(presence["presence"].as_object().map(serde_json::Map::len), Some(2), "{presence}");
    ben.call("unsubscribe", json!({ "channel": "square" })).await;
    assert_eq!(ana.push("leave").await["leave"]["info"]["user"], "ben");
}

pub(super) async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_let_go(carrier: Carrier) {
    let beats = json!({ "client": { "ping_interval": "3s", "pong_timeout": "2s" } });
    let server = Server::serve(beats).await;
    let mut lively = Client::connect(server.address, carrier).await;
    let mut dead = Client::connect(server.address, carrier).await;
    dead.answers_pings = false;
    let (closed, ()) = tokio::join!(dead.closed(), lively.pings(2));
    assert_eq!(closed, (3012, "no pong".to_owned()));
    lively.call("subscribe", json!({ "channel": "square" })).await;
}

pub(super) async fn what_is_not_allowed_is_refused_by_its_code(carrier: Carrier) {
    let server = Server::serve(json!({ "client": { "channel_limit": 1 } })).await;
    let mut client = Client::connect(server.address, carrier).await;
    assert_eq!(client.refusal("subscribe", json!({ "channel": "closed:door" })).await, 103);
    assert_eq!(client.refusal("subscribe", json!({ "channel": "nowhere:x" })).await, 102);
    assert_eq!(client.refusal("subscribe", json!({ "channel": "x".repeat(300) })).await, 107);
    client.call("subscribe", json!({ "channel": "square" })).await;
    assert_eq!(client.refusal("subscribe", json!({ "channel": "square" })).await, 105);
    assert_eq!(client.refusal("subscribe", json!({ "channel": "park" })).await, 106);
}

pub(super) async fn garbage_ends_the_session(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut client = Client::open_with(server.address, carrier, b"garbage").await;
    assert_eq!(client.closed().await, (3501, "bad request".to_owned()));
}

pub(super) async fn an_invalid_token_ends_the_session(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let mut client = Client::open(server.address, carrier, json!({ "token": "a.b.c" })).await;
    assert_eq!(client.closed().await, (3500, "invalid token".to_owned()));
}

pub(super) async fn a_client_that_does_not_read_is_let_go_and_told_why(carrier: Carrier) {
    /// More than the buffers of both kernels and all of ours.
    const PUBLICATIONS_MAX: usize = 400;
    let server = Server::serve(json!({ "client": { "queue_max_size": 200_000 } })).await;
    let mut slow = Client::subscribe(server.address, carrier, "plain:flood").await;
    let flood = json!({ "channel": "plain:flood", "data": "x".repeat(60_000) });
    let mut published = 0;
    while metric(&server, "spanwire_outbox_overflows_total").await == 0.0 {
        assert!(published < PUBLICATIONS_MAX, "{carrier:?} takes no end of messages unread");
        api(server.address, "publish", &flood).await;
        published += 1;
    }
    assert_eq!(metric(&server, "spanwire_disconnects_total{code=\"3008\"}").await, 1.0);
    assert_eq!(slow.closed().await, (3008, "slow".to_owned()));
}

pub(super) async fn a_backend_may_end_a_session(carrier: Carrier) {
    let server = Server::serve(json!({})).await;
    let settings = json!({ "token": signed(json!({ "sub": "ben" })) });
    let mut ben = Client::connect_as(server.address, carrier, settings).await;
    let disconnect = json!({ "user": "ben", "disconnect": { "code": 4321, "reason": "enough" } });
    api(server.address, "disconnect", &disconnect).await;
    assert_eq!(ben.closed().await, (4321, "enough".to_owned()));
    within_reach(&server, carrier).await;
}

pub(super) async fn a_session_lives_as_long_as_its_token_and_a_fresh_one_prolongs_it(carrier: Carrier) {
    let server = Server::serve(json!({ "client": { "expired_close_delay": "0s" } })).await;
    let token = |seconds| signed(json!({ "sub": "ben", "exp": seconds_from_now(seconds) }));
    let mut ben = Client::connect_as(server.address, carrier, json!({ "token": token(60) })).await;
    let refreshed = ben.call("refresh", json!({ "token": token(2) })).await;
    assert_eq!(refreshed["expires"], true, "{refreshed}");
    assert_eq!(ben.closed().await, (3005, "connection expired".to_owned()));
}

pub(super) async fn a_shutdown_is_told(carrier: Carrier) {
    let mut server = Server::serve(json!({})).await;
    let mut client = Client::subscribe(server.address, carrier, "square").await;
    server.terminate();
    assert_eq!(client.closed().await, (3001, "shutdown".to_owned()));
    drop(client);
    assert!(server.ended().await.success());
}

/// Nothing is left of the clients that are gone, and the next one is as welcome as the first.
async fn within_reach(server: &Server, carrier: Carrier) {
    until("nobody to be there", async || (metric(server, "spanwire_sessions").await == 0.0).then_some(()))
        .await;
    assert_eq!(metric(server, "spanwire_connections").await, 0.0);
    within("a new client", Client::connect(server.address, carrier)).await;
}

async fn publish(server: &Server, channel: &str, data: std::ops::RangeInclusive<u32>) {
    for data in data {
        api(server.address, "publish", &json!({ "channel": channel, "data": data })).await;
    }
}

fn data(result: &Value) -> Vec<Value> {
    let publications = result["publications"].as_array().expect("publications");
    publications.iter().map(|publication| publication["data"].clone()).collect()
}

/// The value of a sample, 0 if there is none yet.
pub(super) async fn metric(server: &Server, name: &str) -> f64 {
    let metrics = get(server.address, "/metrics").await.body;
    let figure = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    figure.unwrap_or(0.0)
}

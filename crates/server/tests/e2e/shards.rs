//! One channel over several shards: one order for all, and recovery on whichever shard a client returns to.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::until;

/// So many that they are on every shard: that all of them share one has a chance of 2⁻³⁹.
const MEMBERS: usize = 40;
const PUBLISHERS: u64 = 4;
const EACH: u64 = 50;

/// What one member hears of a publication: its offset and its data.
fn heard(publication: &Value) -> (u64, Value) {
    (publication["offset"].as_u64().expect("history gives offsets"), publication["data"].clone())
}

async fn members(address: SocketAddr) -> Vec<Peer> {
    let mut members = Vec::with_capacity(MEMBERS);
    while members.len() < MEMBERS {
        members.push(Peer::subscribe(address, "square").await);
    }
    members
}

/// Publishes from several connections at once, each its own sequence.
async fn everybody_talks(address: SocketAddr) {
    let talk = async |publisher: u64| {
        let mut peer = Peer::connect(address).await;
        for n in 0..EACH {
            peer.call("publish", json!({ "channel": "square", "data": [publisher, n] })).await;
        }
    };
    tokio::join!(talk(0), talk(1), talk(2), talk(3));
}

fn two_shards() -> Value {
    json!({ "engine": { "shards": 2 }, "channel": { "without_namespace": { "history_size": 1000 } } })
}

#[tokio::test]
async fn everyone_hears_the_same_order_whatever_shard_they_are_on() {
    let server = Server::serve(two_shards()).await;
    let mut members = members(server.address).await;
    everybody_talks(server.address).await;
    let mut orders = Vec::with_capacity(MEMBERS);
    for member in &mut members {
        let mut order = Vec::new();
        for _ in 0..PUBLISHERS * EACH {
            order.push(heard(&member.push("pub").await["pub"]));
        }
        orders.push(order);
    }
    let offsets: Vec<_> = orders[0].iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (1..=PUBLISHERS * EACH).collect::<Vec<_>>());
    for publisher in 0..PUBLISHERS {
        let own = orders[0].iter().filter(|(_, data)| data[0] == publisher).map(|(_, data)| data[1].as_u64());
        assert!(own.eq((0..EACH).map(Some)), "each publisher's own order is kept");
    }
    for order in &orders {
        assert_eq!(order, &orders[0]);
    }
}

#[tokio::test]
async fn a_client_recovers_on_any_shard_what_it_missed_on_another() {
    let server = Server::serve(two_shards()).await;
    let mut first = Peer::connect(server.address).await;
    let position = first.call("subscribe", json!({ "channel": "square" })).await;
    first.leave().await;
    everybody_talks(server.address).await;
    let total = PUBLISHERS * EACH;
    let mut pages = Vec::new();
    for _ in 0..MEMBERS {
        let mut peer = Peer::connect(server.address).await;
        let since =
            json!({ "channel": "square", "recover": true, "epoch": position["epoch"], "offset": total - 60 });
        let result = peer.call("subscribe", since).await;
        assert_eq!((&result["was_recovering"], &result["recovered"]), (&json!(true), &json!(true)));
        let page: Vec<_> =
            result["publications"].as_array().expect("what it missed").iter().map(heard).collect();
        assert!(page.iter().map(|(offset, _)| *offset).eq(total - 59..=total));
        pages.push(page);
    }
    assert!(pages.iter().all(|page| page == &pages[0]));
}

#[tokio::test]
async fn a_client_that_recovers_while_others_talk_sees_each_publication_once() {
    let server = Server::serve(two_shards()).await;
    let mut first = Peer::connect(server.address).await;
    let position = first.call("subscribe", json!({ "channel": "square" })).await;
    first.leave().await;
    let recovering = async {
        let mut all = Vec::new();
        for _ in 0..MEMBERS {
            let mut peer = Peer::connect(server.address).await;
            let since =
                json!({ "channel": "square", "recover": true, "epoch": position["epoch"], "offset": 0 });
            let result = peer.call("subscribe", since).await;
            assert_eq!(result["recovered"], true);
            let missed = result["publications"].as_array().cloned().unwrap_or_default();
            let mut offsets: Vec<_> = missed.iter().map(|publication| heard(publication).0).collect();
            while offsets.len() < (PUBLISHERS * EACH) as usize {
                offsets.push(heard(&peer.push("pub").await["pub"]).0);
            }
            all.push(offsets);
        }
        all
    };
    let ((), all) = tokio::join!(everybody_talks(server.address), recovering);
    for offsets in all {
        assert!(offsets.iter().copied().eq(1..=PUBLISHERS * EACH), "{offsets:?}");
    }
}

#[tokio::test]
async fn presence_channels_and_disconnects_reach_every_shard() {
    let server = Server::serve(two_shards()).await;
    let mut members = members(server.address).await;
    let presence = http::api(server.address, "presence", &json!({ "channel": "square" })).await;
    assert_eq!(presence["result"]["presence"].as_object().expect("a map").len(), MEMBERS);
    let channels = http::api(server.address, "channels", &json!({ "pattern": "squ*" })).await;
    assert_eq!(channels["result"]["channels"], json!({ "square": { "num_clients": MEMBERS } }));
    http::api(server.address, "disconnect", &json!({ "user": "" })).await;
    for member in &mut members {
        assert_eq!(member.closed().await.0, 3503);
    }
    until("an empty channel", async || {
        let presence = http::api(server.address, "presence", &json!({ "channel": "square" })).await;
        (presence["result"]["presence"] == json!({})).then_some(())
    })
    .await;
}

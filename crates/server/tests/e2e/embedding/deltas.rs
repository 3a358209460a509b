//! What subscribers of an application's hub are told by patches.

use std::time::Duration;

use serde_json::{Value, json};
use spanwire::{Hub, Namespace};

use super::lending::Application;
use crate::support::peer::Peer;

#[tokio::test]
async fn it_is_what_the_namespace_or_the_publication_says() {
    let room = Namespace::open().history(10, Duration::from_secs(3_600)).recover();
    let hub = Hub::builder()
        .anonymous()
        .namespace("all", room.clone().deltas())
        .namespace("some", room.allow_deltas())
        .shards(2)
        .build()
        .await
        .unwrap();
    let application = Application::start(hub).await;
    let mut peer = Peer::connect(application.address).await;
    for (channel, of_each) in [("all:a", true), ("some:a", false)] {
        let subscribed = peer.call("subscribe", json!({ "channel": channel, "delta": "fossil" })).await;
        assert_eq!(subscribed["delta"], true, "{channel}");
        let text = "the same in each of them ".repeat(10);
        for number in 0..3 {
            let publish = application.hub.publish(channel, json!({ "text": text, "number": number }));
            if number == 2 { publish.delta().await } else { publish.await }.unwrap();
        }
        // The first is whole, for there is nothing yet that a patch could be made of.
        let mut are_patches = Vec::new();
        for _ in 0..3 {
            are_patches.push(peer.push("pub").await["pub"]["delta"] == Value::Bool(true));
        }
        assert_eq!(are_patches, [false, of_each, true], "{channel}");
    }
    peer.leave().await;
    application.end().await;
}

//! A shard that does not keep up with the others.

use std::sync::Arc;
use std::time::Duration;

use spanwire_hub::broker::HistoryOptions;
use spanwire_hub::channel::Channel;
use spanwire_hub::namespace::{Namespace, Permission};

use super::super::Pace;
use super::scene::{Client, Scene, config, session};
use crate::engine::EngineConfig;

const DATA_BYTES: usize = 60_000;

/// More than a mailbox holds.
const PUBLISHES: usize = 400;

/// Two shards, a channel with positions that the first one owns, and outboxes that are not what this is about.
fn scene() -> (Scene, String) {
    let mut config = EngineConfig { shards: 2, ..config() };
    let anybody = Permission { client: true, anonymous: true, subscriber: false };
    let history =
        HistoryOptions { size: 10, ttl: Duration::from_secs(600), meta_ttl: Duration::from_secs(600) };
    config.hub.namespaces.without_namespace = Arc::new(Namespace {
        subscribe: anybody,
        publish: anybody,
        history: Some(history),
        force_positioning: true,
        ..Namespace::default()
    });
    config.hub.limits.outbox_bytes_max = 64 << 20;
    let scene = Scene::new(config);
    let of_first = |name: &String| scene.owner(&Channel::new(name)) == 0;
    let channel = (0..).map(|number| format!("room{number}")).find(of_first).unwrap();
    (scene, channel)
}

/// Publishes while only one of the shards takes turns: each of the clients as often as the others.
fn publish_with_one_shard_asleep(
    scene: &mut Scene,
    awake: usize,
    clients: usize,
    channel: &str,
) -> Vec<Client> {
    let data = format!(r#""{}""#, "x".repeat(DATA_BYTES));
    let mut clients: Vec<_> = (0..clients).map(|_| scene.connected(awake, session())).collect();
    for number in 0..PUBLISHES / clients.len() {
        for client in &mut clients {
            client.publish(10 + number as u32, channel, &data);
            while scene.turn_one(awake) == Pace::Again {}
        }
    }
    clients
}

#[test]
fn subscribers_of_a_shard_that_missed_publications_are_told_and_hear_no_later_ones() {
    let (mut scene, channel) = scene();
    let mut bob = scene.member(1, &channel);
    publish_with_one_shard_asleep(&mut scene, 0, 1, &channel);
    scene.until(&mut bob, |bob| bob.texts().any(|text| text.contains("unsubscribe")));
    let dropped = scene.handle().stats()[1].publications_dropped;
    let heard = bob.publications().len() as u64;
    assert!(
        dropped > 0 && heard > 0 && heard + dropped == PUBLISHES as u64,
        "{heard} heard, {dropped} dropped"
    );
    let last = bob.texts().last().unwrap();
    assert!(last.contains(r#""code":2500"#), "{last}");
}

#[test]
fn publishes_to_a_shard_that_has_more_than_it_can_do_are_refused_and_the_others_are_published() {
    let (mut scene, channel) = scene();
    let mut bob = scene.member(0, &channel);
    let mut clients = publish_with_one_shard_asleep(&mut scene, 1, 4, &channel);
    let mut published = 0;
    for client in &mut clients {
        scene.until(client, |client| client.texts().count() == PUBLISHES / 4);
        let refusals = client.texts().filter(|text| text.contains(r#""error""#));
        assert!(refusals.clone().all(|text| text.contains(r#""error":{"code":100"#)), "{:?}", client.heard);
        published += PUBLISHES / 4 - refusals.count();
    }
    assert!(published < PUBLISHES, "none was refused");
    scene.until(&mut bob, |bob| bob.publications().len() == published);
}

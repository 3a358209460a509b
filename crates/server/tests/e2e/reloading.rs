//! A configuration that becomes another one while clients are there: SIGHUP.

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::backend::Backend;
use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::{Server, TOKEN_SECRET, merged, scratch};
use crate::support::token::{signed, signed_with};
use crate::support::until::until;

const APPLIED: &str = "the configuration was read again";
const REFUSED: &str = "the configuration is refused";

/// A server, and the file that it reads.
struct Scene {
    server: Server,
    file: PathBuf,
}

impl Scene {
    async fn begin(changes: Value) -> Self {
        let file = scratch("reloaded.json");
        std::fs::write(&file, merged(changes).to_string()).expect("a config file can be written");
        Self { server: Server::serve_from(&file).await, file }
    }

    /// Has it read the file again, with this text, and returns the lines that it logs until it has logged these words.
    async fn reload(&self, text: &str, outcome: &str) -> String {
        let before = self.server.said();
        std::fs::write(&self.file, text).expect("a config file can be written");
        self.server.signal(Signal::HUP);
        let told = until(outcome, async || {
            let said = self.server.said();
            let news = said.get(before.len()..).unwrap_or_default().to_owned();
            news.contains(outcome).then_some(news)
        });
        told.await
    }

    async fn apply(&self, changes: Value) -> String {
        self.reload(&merged(changes).to_string(), APPLIED).await
    }

    async fn connect(&self, token: String) -> Peer {
        Peer::connect_as(self.server.address, json!({ "token": token })).await
    }

    async fn refused(&self, token: String) -> u16 {
        let mut peer = Peer::open(self.server.address).await;
        peer.text(&json!({ "id": 1, "connect": { "token": token } }).to_string()).await;
        peer.closed().await.0
    }
}

#[tokio::test]
async fn new_options_of_channels_hold_for_new_commands_and_nobody_is_let_go() {
    let scene = Scene::begin(json!({})).await;
    let mut ana = scene.connect(signed(json!({ "sub": "ana" }))).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "closed:a" })).await, 103);
    let told = scene
        .apply(json!({ "channel": {
            "without_namespace": { "allow_publish_for_client": false },
            "namespaces": [{ "name": "closed", "allow_subscribe_for_client": true }, { "name": "new" }],
        } }))
        .await;
    assert!(
        told.contains("channel.namespaces, channel.without_namespace.allow_publish_for_client"),
        "{told}"
    );
    assert_eq!(ana.refusal("publish", json!({ "channel": "square", "data": 2 })).await, 103);
    ana.call("subscribe", json!({ "channel": "closed:a" })).await;
    // The server API knows them too, and what is published is still heard by whom it was granted.
    let published = |channel: &'static str| json!({ "channel": channel, "data": "api" });
    let answer = http::api(scene.server.address, "publish", &published("new:a")).await;
    assert!(answer["error"].is_null(), "{answer}");
    let answer = http::api(scene.server.address, "publish", &published("plain:a")).await;
    assert_eq!(answer["error"]["code"], 102, "its namespace is gone");
    http::api(scene.server.address, "publish", &published("square")).await;
    assert_eq!(ana.publications(2).await, [json!(1), json!("api")]);
}

#[tokio::test]
async fn new_keys_are_good_at_once_and_who_came_by_an_old_one_stays() {
    const NEXT: &str = "the next secret, which is long enough for HS256";
    let scene = Scene::begin(json!({})).await;
    let mut ana = scene.connect(signed(json!({ "sub": "ana" }))).await;
    let next = signed_with(NEXT, json!({ "sub": "ben" }));
    assert_eq!(scene.refused(next.clone()).await, 3500);
    // A rotation, as it should be: the old secret goes on for a while.
    scene
        .apply(json!({ "client": { "token": {
            "hmac_secret_key": NEXT, "hmac_previous_secret_key": TOKEN_SECRET,
        } } }))
        .await;
    scene.connect(next.clone()).await;
    scene.connect(signed(json!({ "sub": "ana" }))).await;
    let told = scene.apply(json!({ "client": { "token": { "hmac_secret_key": NEXT } } })).await;
    assert!(told.contains("client.token.hmac_previous_secret_key") && !told.contains(TOKEN_SECRET), "{told}");
    assert_eq!(scene.refused(signed(json!({ "sub": "ana" }))).await, 3500);
    ana.call("subscribe", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn keys_of_the_server_api_change_with_the_file() {
    let scene = Scene::begin(json!({})).await;
    let calls = async |key: &str| {
        http::post(scene.server.address, "/api/info", &format!("X-API-Key: {key}\r\n"), "{}").await.status
    };
    assert_eq!(calls("another").await, 401);
    scene.apply(json!({ "http_api": { "key": "another" } })).await;
    assert_eq!(calls("another").await, 200);
    assert_eq!(calls(crate::support::server::API_KEY).await, 401);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told_with_its_place() {
    let scene = Scene::begin(json!({ "prometheus": { "enabled": true } })).await;
    let mut ana = scene.connect(signed(json!({ "sub": "ana" }))).await;
    let broken = "{\n\"http_api\": {\"key\": \"leaked\"},\n\"client\": }";
    let told = scene.reload(broken, "line 3").await;
    assert!(told.contains(REFUSED) && told.contains("reloaded.json: ") && !told.contains("leaked"), "{told}");
    let half = merged(json!({ "http_api": { "key": "leaked" }, "client": { "ping_interval": 5 } }));
    let told = scene.reload(&half.to_string(), "client.ping_interval").await;
    assert!(told.contains(REFUSED) && !told.contains("leaked"), "{told}");
    // The key of the refused file opens nothing, and the one before it still does.
    http::api(scene.server.address, "publish", &json!({ "channel": "square", "data": 1 })).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    let metrics = http::get(scene.server.address, "/metrics").await.body;
    assert!(metrics.contains("spanwire_configuration_reads_total{outcome=\"refused\"} 2"), "{metrics}");
    scene.apply(json!({})).await;
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_how_much_is_logged_does_not() {
    let scene = Scene::begin(json!({ "log": { "level": "info" } })).await;
    let told =
        scene.apply(json!({ "client": { "queue_max_size": 2048 }, "log": { "level": "debug" } })).await;
    assert!(told.contains("holds now: log.level"), "{told}");
    assert!(told.contains("after a restart only: client.queue_max_size"), "{told}");
    // A frame of a kind that there is none of: only a log of details has a line about it.
    let mut peer = Peer::open(scene.server.address).await;
    peer.stream().write_all(&[0x83, 0x80, 0, 0, 0, 0]).await.expect("the server reads");
    let is_told = async || scene.server.said().contains("broke the WebSocket protocol").then_some(());
    until("a line about the frame", is_told).await;
}

#[tokio::test]
async fn other_proxies_wait_for_a_restart_and_what_namespaces_say_of_them_with_them() {
    let backend = Backend::start(|_| (200, json!({ "result": {} }))).await;
    let scene = Scene::begin(json!({})).await;
    let endpoint = format!("http://{}/subscribe", backend.address);
    let told = scene
        .apply(json!({ "channel": {
            "proxy": { "subscribe": { "endpoint": endpoint } },
            "without_namespace": { "subscribe_proxy_enabled": true },
        } }))
        .await;
    let waits = "after a restart only: channel.proxy.subscribe.endpoint, channel.without_namespace.subscribe_proxy_enabled";
    assert!(told.contains(waits), "{told}");
    let mut ana = scene.connect(signed(json!({ "sub": "ana" }))).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    assert!(backend.take_asked("/subscribe").is_empty(), "nobody was connected to it");
}

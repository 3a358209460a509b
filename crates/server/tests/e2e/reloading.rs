//! A configuration that becomes another one while clients are there: SIGHUP.

use std::path::PathBuf;

use aws_lc_rs::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::backend::{Asked, Backend};
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

/// Lets everybody in as Ann, and takes every event.
fn friendly(asked: &Asked) -> (u16, Value) {
    match asked.path.as_str() {
        "/connect" => (200, json!({ "result": { "user": "ann" } })),
        _ => (200, json!({})),
    }
}

/// A configuration that has this backend asked who connects, with a key, and told what happens, with a signature.
fn known_by(backend: &Backend, key: &str) -> Value {
    let mut connect = backend.proxy("/connect");
    connect["enabled"] = true.into();
    connect["http"] = json!({ "static_headers": { "X-Backend-Key": key } });
    let mut events = backend.proxy("/events");
    events["secret"] = key.into();
    events["max_retry_wait"] = "10m".into();
    json!({ "client": { "proxy": { "connect": connect } }, "events": events })
}

/// Whether a request is signed with this secret, as docs/events.md says.
fn is_signed(asked: &Asked, secret: &str) -> bool {
    let said = asked.headers["x-spanwire-signature"].to_str().expect("it is ASCII");
    let (time, hex) = said.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("two parts");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let digest = hmac::sign(&key, format!("{time}.{}", asked.text).as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>() == hex
}

#[tokio::test]
async fn a_backend_that_moves_and_changes_its_secrets_is_asked_and_told_at_its_new_place() {
    let (old, new) = (Backend::start(friendly).await, Backend::start(friendly).await);
    let scene = Scene::begin(known_by(&old, "the first key")).await;
    Peer::connect(scene.server.address).await;
    assert_eq!(old.take_asked("/connect")[0].headers["x-backend-key"], "the first key");
    let told = scene.apply(known_by(&new, "the second key")).await;
    let changed = "holds now: client.proxy.connect.endpoint, \
                   client.proxy.connect.http.static_headers.X-Backend-Key, events.endpoint, events.secret";
    assert!(told.contains(changed) && !told.contains("after a restart"), "{told}");
    assert!(!told.contains("the second key"), "{told}");
    let _ann = Peer::connect(scene.server.address).await;
    assert_eq!(new.take_asked("/connect")[0].headers["x-backend-key"], "the second key");
    assert!(old.take_asked("/connect").is_empty());
    let asked =
        until("the new place to be told", async || new.take_asked("/events").into_iter().next()).await;
    assert!(is_signed(&asked, "the second key") && !is_signed(&asked, "the first key"));
}

#[tokio::test]
async fn events_that_waited_for_a_backend_go_to_the_place_that_it_has_moved_to() {
    let new = Backend::start(friendly).await;
    // No test is given a port of the system's own, where nobody listens.
    let nowhere = "http://127.0.0.1:9/events";
    let scene = Scene::begin(json!({ "events": { "endpoint": nowhere, "max_retry_wait": "10m" } })).await;
    let _ann = Peer::connect(scene.server.address).await;
    until("a try that came to nothing", async || {
        scene.server.said().contains("the backend does not take them").then_some(())
    })
    .await;
    scene.apply(json!({ "events": new.proxy("/events") })).await;
    let mut kinds = Vec::new();
    until("everything to be told", async || {
        for asked in new.take_asked("/events") {
            let events = asked.body["events"].as_array().expect("events").clone();
            kinds.extend(events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()));
        }
        (kinds == ["started", "connected"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_refuses_the_whole_file() {
    let backend = Backend::start(friendly).await;
    let scene = Scene::begin(known_by(&backend, "a key of the scene")).await;
    let mut changes = known_by(&backend, "another key");
    let endpoint = format!("https://{}/connect", backend.address);
    changes["client"]["proxy"]["connect"]["endpoint"] = endpoint.into();
    changes["client"]["proxy"]["connect"]["http"] =
        json!({ "tls": { "server_ca_pem_file": scratch("missing.pem") } });
    let told = scene.reload(&merged(changes).to_string(), REFUSED).await;
    assert!(told.contains("proxy connect: ") && told.contains("missing.pem: No such file"), "{told}");
    Peer::connect(scene.server.address).await;
    assert_eq!(backend.take_asked("/connect")[0].headers["x-backend-key"], "a key of the scene");
}

#[tokio::test]
async fn what_a_proxy_in_the_list_may_cost_waits_for_a_restart_and_where_it_is_does_not() {
    let (old, new) = (Backend::start(friendly).await, Backend::start(friendly).await);
    let listed = |backend: &Backend, in_flight: u32| {
        let mut rooms = backend.proxy("/subscribe");
        rooms["name"] = "rooms".into();
        rooms["max_in_flight"] = in_flight.into();
        json!({ "proxies": [rooms], "channel": { "without_namespace": {
            "subscribe_proxy_enabled": true, "subscribe_proxy_name": "rooms",
        } } })
    };
    let scene = Scene::begin(listed(&old, 8)).await;
    let told = scene.apply(listed(&new, 8)).await;
    assert!(told.contains("holds now: proxies") && !told.contains("after a restart"), "{told}");
    let told = scene.apply(listed(&new, 9)).await;
    assert!(told.contains("holds now: proxies") && told.contains("after a restart only: proxies"), "{told}");
    let mut ana = scene.connect(signed(json!({ "sub": "ana" }))).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    assert_eq!((old.take_asked("/subscribe").len(), new.take_asked("/subscribe").len()), (0, 1));
}

//! What an endpoint is sent, and what each of its answers does: with a script for an endpoint.

use std::time::Duration;

use serde_json::{Value, json};

use super::books::Books;
use crate::support::backend::{Asked, Backend};
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::until;

/// A server that tells this backend, with these changes to `events`.
async fn told_by(backend: &Backend, changes: Value) -> Server {
    let mut events = backend.proxy("/events");
    for (key, value) in changes.as_object().expect("a table") {
        events[key] = value.clone();
    }
    Server::serve(json!({ "events": events, "node": { "name": "ws-1" }, "engine": { "shards": 2 } })).await
}

/// The events of requests that were taken, as an endpoint keeps them: what comes twice counts once.
fn kept(requests: &[Asked]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for event in requests.iter().flat_map(|asked| asked.body["events"].as_array().expect("events")) {
        let last = kept.last().map_or(0, |last| last["seq"].as_u64().unwrap());
        if event["seq"].as_u64().unwrap() > last {
            kept.push(event.clone());
        }
    }
    kept
}

/// A number of the server's metrics.
async fn metric(server: &Server, name: &str) -> Option<u64> {
    let metrics = get(server.address, "/metrics").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line?.parse().ok()
}

#[tokio::test]
async fn requests_are_signed_and_say_whose_they_are() {
    let backend = Backend::start(|_| (204, json!({}))).await;
    let server = told_by(
        &backend,
        json!({
            "secret": "a secret of the scene",
            "http": { "static_headers": { "X-Backend-Key": "a key of the scene" } },
        }),
    )
    .await;
    drop(Peer::subscribe(server.address, "tea").await);
    let mut requests = Vec::new();
    let life = until("the whole life of a client", async || {
        requests.extend(backend.take_asked("/events"));
        let books = Books::of(&kept(&requests));
        (books.count("disconnected") == 1 && books.count("vacated") == 1).then_some(books)
    })
    .await;
    assert!(life.clients.is_empty() && life.members.is_empty());
    for request in &requests {
        assert_eq!(request.body["node"], "ws-1");
        assert_eq!(request.body["epoch"], requests[0].body["epoch"]);
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers["x-backend-key"], "a key of the scene");
        let signature = request.headers["x-spanwire-signature"].to_str().unwrap();
        assert!(signature.starts_with("t=1") && signature.contains(",v1="), "{signature}");
    }
    let said = server.said();
    assert!(!said.contains("of the scene"), "secrets are not logged: {said}");
}

#[tokio::test]
async fn without_room_the_oldest_are_dropped_and_the_endpoint_is_told_how_many() {
    let backend = Backend::start(|_| (503, json!({}))).await;
    let server = told_by(&backend, json!({ "max_queued": 10, "max_retry_wait": "100ms" })).await;
    backend.has_answered(1).await;
    for _ in 0..10 {
        drop(Peer::subscribe(server.address, "tea").await);
    }
    until("all events to have been told", async || {
        (metric(&server, "spanwire_events_total{type=\"disconnected\"}").await? == 10).then_some(())
    })
    .await;
    let dropped = metric(&server, "spanwire_events_dropped_total{reason=\"overflow\"}").await.unwrap();
    assert!(dropped > 30, "{dropped}");
    backend.take_asked("/events");
    backend.answers(|_| (200, json!({})));
    until("the queue to be empty", async || {
        (metric(&server, "spanwire_events_queued").await? == 0).then_some(())
    })
    .await;
    let told = kept(&backend.take_asked("/events"));
    let gaps: Vec<_> = told.iter().filter(|event| event["type"] == "gap").collect();
    let missing: u64 = gaps.iter().map(|gap| gap["dropped"].as_u64().unwrap()).sum();
    assert_eq!(missing, dropped, "{gaps:?}");
    let mut last = told[0]["seq"].as_u64().unwrap() - told[0]["dropped"].as_u64().unwrap_or(1);
    for event in &told {
        let covered = event["dropped"].as_u64().unwrap_or(1);
        assert_eq!(event["seq"], last + covered, "no hole but those told");
        last += covered;
    }
    let said = until("the log to say that it is well again", async || {
        Some(server.said()).filter(|said| said.contains("the backend takes them again"))
    })
    .await;
    assert_eq!(said.matches("the backend does not take them").count(), 1, "{said}");
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_rest_is_given_it() {
    let backend = Backend::start(|_| (503, json!({}))).await;
    backend.wishes_to_rest(1);
    let _server = told_by(&backend, json!({})).await;
    backend.has_answered(2).await;
    let requests = backend.take_asked("/events");
    // By itself the second try comes within 200 ms.
    let rest = requests[1].at - requests[0].at;
    assert!(rest >= Duration::from_secs(1), "{rest:?}");
}

#[tokio::test]
async fn one_event_that_is_refused_takes_no_other_with_it() {
    let refuses = |asked: &Asked| {
        let is_poison = asked.body.to_string().contains("poison");
        (if is_poison { 422 } else { 200 }, json!({}))
    };
    let backend = Backend::start(refuses).await;
    let changes =
        json!({ "types": ["subscribed"], "batch": { "interval": "1s" }, "max_retry_wait": "100ms" });
    let server = told_by(&backend, changes).await;
    let mut ann = Peer::connect(server.address).await;
    for channel in ["a", "b", "poison", "c", "d"] {
        ann.call("subscribe", json!({ "channel": channel })).await;
    }
    until("the queue to be empty", async || {
        (metric(&server, "spanwire_events_delivered_total").await? == 5).then_some(())
    })
    .await;
    let taken: Vec<_> =
        backend.take_asked("/events").into_iter().filter(|asked| refuses(asked).0 == 200).collect();
    let said: Vec<_> = kept(&taken)
        .iter()
        .map(|event| event["channel"].as_str().unwrap_or(event["type"].as_str().unwrap()).to_owned())
        .collect();
    assert_eq!(said, ["started", "a", "b", "gap", "c", "d"]);
    assert_eq!(metric(&server, "spanwire_events_dropped_total{reason=\"refused\"}").await, Some(1));
}

#[tokio::test]
async fn a_user_and_a_channel_that_are_back_in_time_were_not_away() {
    let backend = Backend::start(|_| (200, json!({}))).await;
    let changes = json!({ "disconnected_grace": "10m", "vacated_grace": "10m" });
    let mut server = told_by(&backend, changes).await;
    let token = crate::support::token::signed(json!({ "sub": "ann" }));
    for _ in 0..3 {
        let mut ann = Peer::connect_as(server.address, json!({ "token": token })).await;
        ann.call("subscribe", json!({ "channel": "tea" })).await;
        drop(ann);
        until("her end to be held back", async || {
            (metric(&server, "spanwire_events_held").await? == 2).then_some(())
        })
        .await;
    }
    server.terminate();
    assert!(server.ended().await.success());
    let books = Books::of(&kept(&backend.take_asked("/events")));
    books.are_closed();
    let counts = ["connected", "disconnected", "occupied", "vacated", "subscribed", "unsubscribed"];
    assert_eq!(counts.map(|kind| books.count(kind)), [1, 1, 1, 1, 3, 3]);
}

#[tokio::test]
async fn a_backend_that_is_away_holds_up_the_end_of_the_node_no_longer_than_it_may() {
    let backend = Backend::start(|_| (200, json!({}))).await;
    backend.takes(Duration::from_secs(600));
    let mut events = backend.proxy("/events");
    events["timeout"] = "60s".into();
    let changes = json!({ "events": events, "shutdown": { "timeout": "1s" } });
    let mut server = Server::serve(changes).await;
    let _ann = Peer::connect(server.address).await;
    server.terminate();
    assert!(server.ended().await.success());
    until("the loss to be said", async || {
        server.said().contains("the backend was not told of the last").then_some(())
    })
    .await;
}

//! A whole life, and every event accounted for by the Python backend of the examples.

use serde_json::{Value, json};

use super::books::Books;
use super::python::Backend;
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::require;
use crate::support::until::until;

const USERS: [(&str, &str); 4] = [("ann", "lemon"), ("bob", "sugar"), ("cat", "cream"), ("dan", "honey")];
const ROOMS: [&str; 3] = ["room:tea", "room:gin", "room:den"];

/// A client with a ticket, in some rooms.
async fn guest(address: std::net::SocketAddr, ticket: &Value, rooms: &[&str]) -> Peer {
    let mut peer = Peer::connect_as(address, json!({ "data": ticket })).await;
    for room in rooms {
        peer.call("subscribe", json!({ "channel": room })).await;
    }
    peer
}

/// The events of each epoch, in the order of their first ones.
fn lives(ledger: &Value) -> Vec<Vec<Value>> {
    let log = ledger["log"].as_array().expect("a log");
    let of = |epoch: &Value| log.iter().filter(|event| event["epoch"] == *epoch).cloned().collect();
    ledger["lives"].as_array().expect("lives").iter().map(of).collect()
}

/// Waits until the backend knows of so many clients and members, and the books of the life say the same.
async fn settled(backend: &Backend, life: usize, clients: usize, members: usize) -> Books {
    until(&format!("{clients} clients and {members} members"), async || {
        let books = Books::of(lives(&backend.ledger().await).get(life)?);
        (books.clients.len() == clients && books.members.len() == members).then_some(books)
    })
    .await
}

#[tokio::test]
async fn every_event_is_accounted_for_while_clients_are_cut_and_the_backend_is_killed() {
    let Some(mut backend) = Backend::start().await else { return };
    let server = backend.serve(&[("SPANWIRE_ENGINE_SHARDS", json!(2))]).await;
    let network = Proxy::to(server.address).await;
    let mut tickets = Vec::new();
    for (user, password) in USERS {
        tickets.push(backend.ticket_of(user, password).await);
    }

    // They come: two clients of each user, every other one over a network that will be cut.
    let (mut steady, mut mobile) = (Vec::new(), Vec::new());
    for ticket in &tickets {
        steady.push(guest(server.address, ticket, &ROOMS[..2]).await);
        mobile.push(guest(network.address, ticket, &ROOMS[1..]).await);
    }
    let books = settled(&backend, 0, 8, 16).await;
    assert_eq!((books.count("connected"), books.count("occupied")), (8, 3));
    let users: Vec<_> = books.clients.values().map(String::as_str).collect();
    assert!(USERS.iter().all(|(name, _)| users.iter().filter(|user| *user == name).count() == 2));

    // The network is cut: the last in the den are gone, and it is vacated.
    network.cut(Cut::Reset);
    let books = settled(&backend, 0, 4, 8).await;
    assert_eq!((books.count("disconnected"), books.count("vacated")), (4, 1));
    assert!(!books.occupied.contains("room:den"));

    // The backend is killed, and life goes on: one leaves in good order, one is killed, two leave a room, one of them for good.
    backend.kill().await;
    let mut ann = steady.remove(0);
    ann.call("unsubscribe", json!({ "channel": "room:tea" })).await;
    drop(steady.remove(0));
    steady[0].call("unsubscribe", json!({ "channel": "room:gin" })).await;
    steady[0].call("unsubscribe", json!({ "channel": "room:tea" })).await;
    let waiting = async || {
        let metrics = get(server.address, "/metrics").await.body;
        let queued = metrics.lines().find_map(|line| line.strip_prefix("spanwire_events_queued "));
        queued.and_then(|queued| queued.parse::<u64>().ok()).is_some_and(|queued| queued >= 6)
    };
    until("the events to wait", async || waiting().await.then_some(())).await;
    backend.revive().await;
    settled(&backend, 0, 3, 3).await;

    // It is killed again and again in the middle of its work.
    for round in 0..4 {
        network.set(Line::Clear);
        let mut visitors = Vec::new();
        for ticket in &tickets {
            visitors.push(guest(network.address, ticket, &ROOMS).await);
        }
        network.cut(if round % 2 == 0 { Cut::Reset } else { Cut::Close });
        backend.kill().await;
        drop(visitors);
        backend.revive().await;
        settled(&backend, 0, 3, 3).await;
    }

    // The end, in good order.
    let mut server = server;
    server.terminate();
    assert!(server.ended().await.success());
    let ledger = backend.ledger().await;
    let life = &lives(&ledger)[0];
    let books = Books::of(life);
    books.are_closed();
    assert_eq!((books.count("connected"), books.count("disconnected")), (24, 24));
    assert_eq!((books.count("subscribed"), books.count("unsubscribed")), (64, 64));
    assert_eq!((books.count("gap"), &ledger["counts"]["missing"]), (0, &Value::Null));
    let ends: Vec<_> = life.iter().filter(|event| event["code"] == 3001).collect();
    assert_eq!(ends.len(), 3, "those who were there to the end are told why it came");
    let ids: std::collections::BTreeSet<_> = life.iter().map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), life.len(), "an id is of one event");
    assert_eq!(ledger["online"], json!([]));
}

#[tokio::test]
async fn a_node_that_is_killed_is_told_by_its_next_life() {
    let Some(backend) = Backend::start().await else { return };
    let server = backend.serve(&[]).await;
    let ticket = backend.ticket_of("ann", "lemon").await;
    let _ann = guest(server.address, &ticket, &ROOMS).await;
    settled(&backend, 0, 1, 3).await;
    server.kill().await;
    assert_eq!(backend.ledger().await["online"], json!(["ann"]), "nobody could tell of her end");
    let _server = backend.serve(&[]).await;
    let ledger = until("the next life to begin", async || {
        let ledger = backend.ledger().await;
        (ledger["lives"].as_array()?.len() == 2).then_some(ledger)
    })
    .await;
    assert_eq!((&ledger["online"], &ledger["rooms"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_backend_of_the_example_decides_as_well() {
    let Some(backend) = Backend::start().await else { return };
    let server = backend.serve(&[]).await;
    let (ann, dan) = (backend.ticket_of("ann", "lemon").await, backend.ticket_of("dan", "honey").await);
    let mut stranger = Peer::open(server.address).await;
    stranger.text(r#"{"id":1,"connect":{"data":{"user":"ann","ticket":"guessed"}}}"#).await;
    assert_eq!(stranger.closed().await, (4501, "log in first".to_owned()));
    let mut ann = guest(server.address, &ann, &["room:staff"]).await;
    let mut dan = guest(server.address, &dan, &["room:tea"]).await;
    assert_eq!(dan.refusal("subscribe", json!({ "channel": "room:staff" })).await, 403);
    ann.call("subscribe", json!({ "channel": "room:tea" })).await;
    assert_eq!(dan.refusal("publish", json!({ "channel": "room:tea", "data": { "text": "" } })).await, 400);
    dan.call("publish", json!({ "channel": "room:tea", "data": { "text": "milk?" } })).await;
    assert_eq!(ann.publication().await, json!({ "text": "milk?", "by": "dan" }));
    settled(&backend, 0, 2, 3).await;
    let who = ann.call("rpc", json!({ "method": "who" })).await;
    assert_eq!(who["data"], json!({ "online": ["ann", "dan"], "rooms": ["room:staff", "room:tea"] }));
}

#[test]
fn the_documentation_shows_how_the_example_knows_that_a_request_is_ours() {
    let read = |path: &str| std::fs::read_to_string(require::repository().join(path)).expect("it is there");
    let (page, script) = (read("docs/events.md"), read("examples/backend-python/backend.py"));
    let block = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    assert!(script.contains(block), "what the page shows is what the tests run");
}

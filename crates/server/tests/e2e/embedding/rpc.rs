//! `examples/rpc.rs`: a service that clients call, with errors of its own.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::{require, script};

async fn connect(server: &Server, user: &str) -> Peer {
    Peer::connect_as(server.address, json!({ "token": user })).await
}

async fn call(peer: &mut Peer, method: &str, data: Value) -> Value {
    peer.call("rpc", json!({ "method": method, "data": data })).await["data"].take()
}

async fn error(peer: &mut Peer, method: &str, data: Value) -> Value {
    let mut reply = peer.reply("rpc", json!({ "method": method, "data": data })).await;
    assert!(!reply["error"].is_null(), "{reply}");
    reply["error"].take()
}

#[tokio::test]
async fn a_service_is_called_and_everybody_hears_what_changed() {
    let server = Server::example("rpc").await;
    let mut ann = connect(&server, "ann").await;
    let mut bob = connect(&server, "bob").await;
    bob.call("subscribe", json!({ "channel": "tasks:all" })).await;
    assert_eq!(call(&mut ann, "add", json!([40, 2])).await, 42);
    let task = json!({ "id": 1, "title": "sweep", "done_by": null });
    assert_eq!(call(&mut ann, "tasks.add", json!({ "title": "sweep" })).await, task);
    assert_eq!(bob.publication().await, task);
    assert_eq!(call(&mut bob, "tasks.finish", json!({ "id": 1 })).await["done_by"], "bob");
    assert_eq!(bob.publication().await["done_by"], "bob");
    assert_eq!(call(&mut ann, "tasks.list", Value::Null).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn errors_of_a_service_have_its_codes_and_mistakes_say_what_is_wrong() {
    let server = Server::example("rpc").await;
    let mut ann = connect(&server, "ann").await;
    let table = [
        ("tasks.finish", json!({ "id": 9 }), json!({ "code": 404, "message": "there is no task 9" })),
        ("add", json!([i64::MAX, 1]), json!({ "code": 107, "message": "that is too much" })),
        ("multiply", json!([1, 2]), json!({ "code": 104, "message": "method not found" })),
    ];
    for (method, data, expected) in table {
        assert_eq!(error(&mut ann, method, data).await, expected, "{method}");
    }
    let mistake = error(&mut ann, "tasks.add", json!({ "name": "sweep" })).await;
    assert_eq!(mistake["code"], 107);
    assert!(mistake["message"].as_str().unwrap().contains("missing field `title`"), "{mistake}");
    for _ in 0..3 {
        call(&mut ann, "tasks.add", json!({ "title": "more" })).await;
    }
    let full = error(&mut ann, "tasks.add", json!({ "title": "too much" })).await;
    assert_eq!(full, json!({ "code": 507, "message": "there is enough to do", "temporary": true }));
    let refused = ann.reply("publish", json!({ "channel": "tasks:all", "data": "forged" })).await;
    assert_eq!(refused["error"], json!({ "code": 103, "message": "call tasks.add" }));
}

/// What `e2e/node/embedded.mjs` proves.
const NODE: &[&str] = &[
    "a client is known by what on_connect says",
    "a call is answered, and its error has the application's code",
    "a change that the application publishes is heard",
    "a cut line loses nothing and repeats nothing",
];

#[tokio::test]
async fn the_stock_javascript_client_speaks_with_an_application() {
    let Some(node) = require::node_with("e2e/node", "node_modules/centrifuge") else { return };
    let server = Server::example("rpc").await;
    let mut command = Command::new(node);
    command.arg(require::repository().join("e2e/node/embedded.mjs"));
    script::run(command, &server, NODE).await;
}

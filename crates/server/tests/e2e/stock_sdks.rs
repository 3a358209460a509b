//! Clients which others have written for this protocol, unchanged, from their registries.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::require;
use crate::support::script;
use crate::support::secure::Secure;
use crate::support::server::Server;

/// What `e2e/node/scenarios.mjs` proves.
pub(crate) const NODE: &[&str] = &[
    "a client hears its own publication",
    "presence names everyone and its stats count users",
    "join and leave are heard by the others",
    "history pages forwards and backwards",
    "a channel without presence or history says not available",
    "rpc without a handler answers 108",
    "an unknown namespace is refused with 102",
    "a closed channel is refused with 103",
    "leaving and returning works in the same breath",
    "a cut line loses nothing and repeats nothing",
    "deltas are patches on the wire, and every payload comes out, also behind a cut",
    "what history no longer holds is told, not hidden",
    "of a last value, who comes back gets the latest alone",
    "of a last value, who comes for the first time gets it with the answer",
    "a filter by tags lets through what fits, live and recovered",
    "a filter that is none is refused with 107",
    "channels of the token are subscribed by the server, and recover",
    "the server can end a subscription",
    "the server can end a connection for good",
    "an application's own disconnect code reaches its client",
    "a forged token is refused for good",
    "an expired token is renewed before connecting",
    "a connection outlives its tokens",
    "a subscription outlives its tokens",
];

/// What `e2e/python/scenarios.py` proves.
pub(crate) const PYTHON: &[&str] = &[
    "a client hears its own publication",
    "presence counts exactly, and joins and leaves are heard",
    "history pages forwards and backwards",
    "rpc without a handler answers 108",
    "a cut line loses nothing and repeats nothing",
    "deltas are patches on the wire, and every payload comes out, also behind a cut",
    "channels of the token are subscribed by the server",
    "the server can end a subscription",
    "the server can end a connection for good",
    "a forged token is refused for good",
    "an expired token is renewed before connecting",
    "a connection outlives its tokens",
    "a subscription outlives its tokens",
];

/// What `e2e/go/scenarios.go` proves.
pub(crate) const GO: &[&str] = &[
    "a client hears its own publication",
    "presence counts exactly, and joins and leaves are heard",
    "history pages forwards and backwards",
    "a channel without presence or history says not available",
    "rpc without a handler answers 108",
    "an unknown namespace is refused with 102",
    "a closed channel is refused with 103",
    "leaving and returning works in the same breath",
    "a cut line loses nothing and repeats nothing",
    "deltas are patches on the wire, and every payload comes out, also behind a cut",
    "what history no longer holds is told, not hidden",
    "channels of the token are subscribed by the server, and recover",
    "the server can end a subscription",
    "the server can end a connection for good",
    "an application's own disconnect code reaches its client",
    "a forged token is refused for good",
    "an expired token is renewed before connecting",
    "a connection outlives its tokens",
];

/// Pings so often that every scenario of some length has to answer, and nearly as much time for that as there can be: on a
/// busy machine an answer may take a while, and who is let go for it comes back in the middle of a scenario.
pub(crate) fn pings() -> Value {
    json!({ "ping_interval": "2s", "pong_timeout": "1900ms" })
}

async fn server() -> Server {
    Server::serve(json!({ "client": pings() })).await
}

async fn node(encoding: &str) {
    let Some(node) = require::node_with("e2e/node", "node_modules/centrifuge") else { return };
    run(&node, "e2e/node/main.mjs", encoding, NODE, &server().await).await;
}

/// The same without WebSockets: replies as a stream, commands by requests of their own.
async fn node_over(transport: &str, encoding: &str) {
    let Some(node) = require::node_with("e2e/node", "node_modules/eventsource") else { return };
    let mut command = Command::new(node);
    command.arg(require::repository().join("e2e/node/main.mjs")).args([encoding, transport]);
    script::run(command, &server().await, NODE).await;
}

async fn python(encoding: &str) {
    let Some(python) = require::python() else { return };
    run(&python, "e2e/python/main.py", encoding, PYTHON, &server().await).await;
}

async fn go(encoding: &str) {
    let Some(scenarios) = require::go("e2e/go").await else { return };
    let mut command = Command::new(scenarios);
    command.arg(encoding);
    script::run(command, &server().await, GO).await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_over_tls() {
    let Some(node) = require::node_with("e2e/node", "node_modules/centrifuge") else { return };
    let secure = Secure::serve(json!({ "client": pings() })).await;
    let mut command = Command::new(node);
    command.arg(require::repository().join("e2e/node/main.mjs")).arg("json");
    command.env("NODE_EXTRA_CA_CERTS", secure.authority());
    script::run(command, &secure.server, NODE).await;
}

pub(crate) async fn run(program: &Path, script: &str, encoding: &str, sentences: &[&str], server: &Server) {
    let mut command = Command::new(program);
    command.arg(require::repository().join(script)).arg(encoding);
    script::run(command, server, sentences).await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_in_json() {
    node("json").await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_in_protobuf() {
    node("protobuf").await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_over_an_http_stream_in_json() {
    node_over("http_stream", "json").await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_over_an_http_stream_in_protobuf() {
    node_over("http_stream", "protobuf").await;
}

#[tokio::test]
async fn the_stock_javascript_client_works_over_server_sent_events() {
    node_over("sse", "json").await;
}

#[tokio::test]
async fn the_stock_python_client_works_in_json() {
    python("json").await;
}

#[tokio::test]
async fn the_stock_python_client_works_in_protobuf() {
    python("protobuf").await;
}

#[tokio::test]
async fn the_stock_go_client_works_in_json() {
    go("json").await;
}

#[tokio::test]
async fn the_stock_go_client_works_in_protobuf() {
    go("protobuf").await;
}

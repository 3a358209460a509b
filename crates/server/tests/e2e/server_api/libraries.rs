//! The official libraries for backends, unchanged, from their registries; and what programs make of `/openapi.json`.

use serde_json::json;
use tokio::process::Command;

use crate::support::http::get;
use crate::support::server::Server;
use crate::support::{require, script};

/// What `e2e/python/backend.py` proves.
const PYTHON: &[&str] = &[
    "the description is OpenAPI",
    "every method is called and answered as described",
    "a wrong body is wrong by the description too",
    "every method of cent works",
    "cent is told what is wrong",
];

/// What `e2e/gocent/main.go` proves.
const GO: &[&str] = &[
    "every method of gocent works",
    "a pipe of commands is answered in its order",
    "gocent is told what is wrong",
];

#[tokio::test]
async fn the_official_python_library_and_the_description_work() {
    let Some(python) = require::python() else { return };
    let mut command = Command::new(python);
    command.arg(require::repository().join("e2e/python/backend.py"));
    script::run(command, &Server::serve(json!({})).await, PYTHON).await;
}

#[tokio::test]
async fn the_official_go_library_works() {
    let Some(program) = require::go("e2e/gocent").await else { return };
    script::run(Command::new(program), &Server::serve(json!({})).await, GO).await;
}

#[tokio::test]
async fn the_description_is_there_for_whoever_asks() {
    let server = Server::serve(json!({ "http_api": null })).await;
    let response = get(server.address, "/openapi.json").await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    assert_eq!(response.json()["openapi"], "3.1.0");
}

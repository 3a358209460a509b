//! The official libraries for backends, unchanged, from their registries; and what programs make of `/openapi.json`.

use std::time::Duration;

use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::http::get;
use crate::support::server::{API_KEY, Server, scratch};
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

/// How long all that is asked may take: a quarter of a minute, and longer on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);

/// Asks whatever the description allows, and what it does not, from a seed; `options` say what else.
async fn is_as_described(server: &Server, options: &[&str]) {
    let Some(program) = require::schemathesis() else { return };
    // It keeps notes where it is started.
    let folder = scratch("schemathesis");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let (url, key) = (format!("http://{}", server.address), format!("X-API-Key: {API_KEY}"));
    let mut command = Command::new(program);
    command
        .args(["run", &format!("{url}/openapi.json"), "--url", &url, "-H", &key, "--seed", "1", "--no-color"])
        .args(["--continue-on-failure", "--generation-database", "none", "--request-timeout", "60"])
        .args(options);
    let asking = command.current_dir(folder).kill_on_drop(true).output();
    let output = timeout(PATIENCE, asking).await.expect("it comes to an end").expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn whatever_the_description_allows_is_understood_and_answered_as_described() {
    // That a method says no, and that what is not described is refused, is told in the body under status 200.
    let options =
        ["-H", "X-Centrifugo-Error-Mode: body", "--exclude-checks", "negative_data_rejection", "-n", "8"];
    is_as_described(&Server::serve(json!({})).await, &options).await;
}

#[tokio::test]
async fn errors_with_statuses_of_their_own_are_as_described() {
    // A schema cannot say all that a method may say no to, so that what is allowed by it may be answered with a 4xx.
    let excluded = "negative_data_rejection,positive_data_acceptance";
    let options = ["-H", "X-Centrifugo-Error-Mode: transport", "--exclude-checks", excluded];
    let few = ["--phases", "fuzzing", "-n", "20"];
    is_as_described(&Server::serve(json!({})).await, &[&options[..], &few].concat()).await;
}

#[tokio::test]
async fn the_description_is_there_for_whoever_asks() {
    let server = Server::serve(json!({ "http_api": null })).await;
    let response = get(server.address, "/openapi.json").await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    assert_eq!(response.json()["openapi"], "3.1.0");
}

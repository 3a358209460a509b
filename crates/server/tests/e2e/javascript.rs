//! Our own client for browsers: the tests it brings along, its types, its package, and the runtimes that are no browser.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::require;
use crate::support::server::Server;
use crate::support::until::within;

/// How long a program may take. Node starts once for each file, which on a machine that builds something else meanwhile is
/// no matter of milliseconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a program in `js/`, and hands out what it says, which belongs to the failure if it is one.
async fn succeeds(program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(require::repository().join("js")).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output
        .unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {arguments:?}"))
        .expect("it can be started");
    let [said, complained] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{arguments:?}: {}\n{said}{complained}", output.status);
    said
}

/// Runs the tests of a folder.
async fn tests_pass(node: &Path, folder: &str) {
    let folder = require::repository().join(folder);
    let files = std::fs::read_dir(folder).expect("it has tests").map(|entry| entry.expect("a file").path());
    let tests: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".test.js")).collect();
    assert!(!tests.is_empty(), "it has tests");
    let mut arguments = vec!["--test"];
    arguments.extend(tests.iter().map(|path| path.to_str().expect("our paths are UTF-8")));
    succeeds(node, &arguments).await;
}

#[tokio::test]
async fn its_unit_tests_pass() {
    let Some(node) = require::node() else { return };
    tests_pass(&node, "js/test").await;
}

#[tokio::test]
async fn its_package_and_its_hooks_work_for_a_stranger() {
    let Some(node) = require::node_with("js", "node_modules/react-dom/package.json") else { return };
    tests_pass(&node, "js/test/packages").await;
}

/// The scene of `js/test/packages/runtime.mjs`: order, recovery, the queue and history, with our extensions and as a server
/// meets the client that never heard of them.
#[tokio::test]
async fn it_keeps_its_word_in_every_runtime_and_without_extensions() {
    let Some(node) = require::node_with("e2e/node", "node_modules/ws/wrapper.mjs") else { return };
    let server = Server::dev().await;
    let script = require::repository().join("js/test/packages/runtime.mjs");
    let runtimes = [
        (Some(node), &[][..]),
        (require::perhaps("node22"), &[]),
        (require::perhaps("deno"), &["run", "-A"]),
        (require::perhaps("bun"), &[]),
    ];
    for (program, arguments) in runtimes.iter().filter_map(|(program, rest)| Some((program.as_ref()?, rest)))
    {
        let mut command = Command::new(program);
        command.args(*arguments).arg(&script).arg(server.websocket()).kill_on_drop(true);
        let output =
            within(&program.display().to_string(), command.output()).await.expect("it can be started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{program:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_str(&said).expect("it says JSON");
        for (name, granted) in [("extended", true), ("plain", false)] {
            let told = &told[name];
            assert_eq!(told["granted"], granted, "{program:?}: {told}");
            assert_eq!(told["offset"].as_u64(), granted.then_some(1), "{program:?}: {told}");
            assert_eq!(told["heard"], json!(["one", "two", "three", "four"]), "{program:?}: {told}");
            assert_eq!(told["pages"], json!(["two", "three"]), "{program:?}: {told}");
            assert_eq!(told["keyed"], granted, "{program:?}: {told}");
            let lost = if granted { "stored as 5" } else { "unacknowledged" };
            assert_eq!(told["lost"], lost, "{program:?}: {told}");
            let stored = json!(["one", "two", "three", "four", "five"]);
            assert_eq!(told["stored"], stored, "{program:?}: {told}");
            assert!(told["present"].as_u64() >= Some(1), "{program:?}: {told}");
        }
    }
}

/// The scene of `js/test/packages/deltas.mjs`: a ticker, and two cuts.
#[tokio::test]
async fn what_is_told_by_patches_it_puts_together_again_also_after_a_cut() {
    let Some(node) = require::node_with("e2e/node", "node_modules/ws/wrapper.mjs") else { return };
    let deltas = json!({ "allowed_delta_types": ["fossil"], "delta_publish": true });
    let server = Server::serve(json!({ "channel": { "without_namespace": deltas } })).await;
    let said = succeeds(&node, &["test/packages/deltas.mjs", &server.websocket()]).await;
    let told: Value = serde_json::from_str(&said).expect("it says JSON");
    assert_eq!([&told["told"], &told["wrong"], &told["gaps"]], [60, 0, 0], "{told}");
    assert!(told["patches"].as_u64() > Some(40), "most of it came by patches: {told}");
}

/// The scene of `js/test/packages/transports.mjs`: a text of what ends lines in one format or another.
#[tokio::test]
async fn any_text_comes_through_every_transport() {
    let Some(node) = require::node_with("e2e/node", "node_modules/ws/wrapper.mjs") else { return };
    let server = Server::dev().await;
    let said = succeeds(&node, &["test/packages/transports.mjs", &server.websocket()]).await;
    let told: Value = serde_json::from_str(&said).expect("it says JSON");
    let whole = json!({ "whole": true, "attempt": 0 });
    let expected = json!({ "websocket": whole, "http_stream": whole, "sse": whole, "poll": whole });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn its_types_hold() {
    let Some(node) = require::node_with("js", "node_modules/typescript/bin/tsc") else { return };
    succeeds(&node, &["node_modules/typescript/bin/tsc", "-p", "."]).await;
}

#[tokio::test]
async fn it_is_no_larger_than_it_may_be() {
    let Some(node) = require::node_with("js", "node_modules/esbuild/bin/esbuild") else { return };
    succeeds(&node, &["size.js"]).await;
}

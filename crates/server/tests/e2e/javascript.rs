//! Our own client for browsers: the tests it brings along, and its types.

use std::path::Path;

use tokio::process::Command;

use crate::support::require;
use crate::support::until::within;

/// Runs a program in `js/`; what it says belongs to the failure, if it is one.
async fn succeeds(program: &Path, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(require::repository().join("js")).kill_on_drop(true);
    let output = within(&format!("{arguments:?}"), command.output()).await.expect("it can be started");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{arguments:?}: {}\n{said}", output.status);
}

#[tokio::test]
async fn its_unit_tests_pass() {
    let Some(node) = require::node() else { return };
    let folder = require::repository().join("js/test");
    let files = std::fs::read_dir(folder).expect("it has tests").map(|entry| entry.expect("a file").path());
    let tests: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".test.js")).collect();
    assert!(!tests.is_empty(), "it has tests");
    let mut arguments = vec!["--test"];
    arguments.extend(tests.iter().map(|path| path.to_str().expect("our paths are UTF-8")));
    succeeds(&node, &arguments).await;
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

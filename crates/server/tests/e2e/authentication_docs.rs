//! The programs of `docs/authentication.md`, as they stand there: what they print is let in.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tokio::process::Command;

use crate::support::peer::Peer;
use crate::support::require;
use crate::support::server::{Server, TOKEN_SECRET, scratch};

/// The block of the page that is fenced as this language.
fn program(language: &str) -> String {
    let page = require::repository().join("docs/authentication.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
    rest.split("```").next().expect("the block ends").to_owned()
}

/// Runs a program, and shows what it prints to a server.
async fn is_let_in(interpreter: PathBuf, file: &str, language: &str) {
    let path = scratch(file);
    fs::write(&path, program(language)).expect("a program can be written");
    let output = Command::new(interpreter).arg(path).env("TOKEN_SECRET", TOKEN_SECRET).output().await;
    let output = output.expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    let token = String::from_utf8(output.stdout).expect("text");
    let server = Server::serve(json!({})).await;
    let mut ana = Peer::open(server.address).await;
    let result = ana.call("connect", json!({ "token": token.trim() })).await;
    assert!(result["ttl"].as_u64().is_some_and(|ttl| ttl <= 600), "{result}");
    ana.call("subscribe", json!({ "channel": "square" })).await;
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    assert_eq!(ana.push("pub").await["pub"]["info"]["user"], "ana");
}

#[tokio::test]
async fn the_token_of_the_python_program_is_let_in() {
    let Some(python) = require::python() else { return };
    is_let_in(python, "token.py", "python").await;
}

#[tokio::test]
async fn the_token_of_the_node_program_is_let_in() {
    let Some(node) = require::node() else { return };
    is_let_in(node, "token.mjs", "js").await;
}

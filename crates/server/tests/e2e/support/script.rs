//! Scenarios written in another language, for clients that are not ours.
//!
//! A script says a JSON object per line: `{"held": sentence}`, `{"failed": sentence, "why": text}`, or `{"ask": deed}`
//! for what it cannot do itself, which is answered with a line when it is done.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::proxy::{Cut, Line, Proxy};
use super::server::{API_KEY, Server, TOKEN_SECRET};
use super::until::within;

/// Runs a script against a server behind a proxy. Every sentence must hold, and no other may be claimed.
pub(crate) async fn run(mut command: Command, server: &Server, sentences: &[&str]) {
    let proxy = Proxy::to(server.address).await;
    let secure = if server.speaks_tls() { "s" } else { "" };
    command
        .env("SPANWIRE_URL", format!("ws{secure}://{}/connection/websocket", proxy.address))
        .env("SPANWIRE_API", format!("http{secure}://{}/api", server.address))
        .env("SPANWIRE_KEY", API_KEY)
        .env("SPANWIRE_SECRET", TOKEN_SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("the script can be started");
    let mut answers = child.stdin.take().expect("stdin is piped");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut held = Vec::new();
    let mut failures = String::new();
    while let Some(line) =
        within("the script to go on", lines.next_line()).await.expect("scripts speak UTF-8")
    {
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("a script said {line:?}"));
        if let Some(sentence) = said["held"].as_str() {
            held.push(sentence.to_owned());
        } else if let Some(deed) = said["ask"].as_str() {
            perform(&proxy, server, deed);
            answers.write_all(b"done\n").await.expect("the script listens");
        } else {
            failures.push_str(&format!("{}\n{}\n", said["failed"], said["why"].as_str().unwrap_or("")));
        }
    }
    let status = within("the script to end", child.wait()).await.expect("a child can be awaited");
    assert!(failures.is_empty(), "these did not hold:\n{failures}");
    assert_eq!(held, sentences, "the script and its test have the same list");
    assert!(status.success(), "{status}");
}

fn perform(proxy: &Proxy, server: &Server, deed: &str) {
    match deed {
        "cut" => {
            proxy.set(Line::Refusing);
            proxy.cut(Cut::Reset);
        }
        "mend" => proxy.set(Line::Clear),
        "terminate" => server.terminate(),
        other => panic!("a script asked to {other:?}"),
    }
}

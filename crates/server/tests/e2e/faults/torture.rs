//! `spanwire torture`, as it is typed: it believes a server that keeps its promise, and finds out one that does not.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use super::stage::nothing_is_left;
use crate::support::server::{API_KEY, Server, spanwire};
use crate::support::until::within;

/// Runs it for a second, and returns its exit code and what it said on stdout and stderr.
async fn torture(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    torture_at(server.address, 30, arguments).await
}

async fn torture_at(
    address: SocketAddr,
    clients: usize,
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let (url, clients) = (format!("http://{address}"), clients.to_string());
    let fixed = ["torture", &url, "--clients", &clients, "--channels", "5", "--seconds", "1"];
    let output = within("torture to end", spanwire(&[&fixed, arguments].concat()).output()).await;
    let output = output.expect("the binary can be started");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn torture_says_that_the_promise_held_and_shows_its_accounts() {
    let server = Server::serve(json!({})).await;
    let (code, accounts, talk) = torture(&server, &["--seed", "7"]).await;
    assert_eq!(code, Some(0), "{accounts}{talk}");
    for line in
        ["published", "acknowledged", "duplicates                   0", "lost                         0"]
    {
        assert!(accounts.contains(line), "{line} is not in\n{accounts}");
    }
    assert!(talk.contains("--seed 7") && talk.ends_with("the promise held\n"), "{talk}");
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn torture_publishes_by_the_server_api_if_it_has_a_key() {
    let server = Server::serve(json!({ "channel": { "without_namespace": {
        "allow_publish_for_client": false, "allow_publish_for_anonymous": false,
    } } }))
    .await;
    let (code, line, talk) = torture(&server, &["--json", "--key", API_KEY]).await;
    let accounts: Value = serde_json::from_str(&line).expect("one JSON object");
    assert_eq!((code, &accounts["kept"], talk.as_str()), (Some(0), &json!(true), ""), "{line}");
    assert!(accounts["delivered"].as_u64() > accounts["acknowledged"].as_u64(), "{line}");
    let (code, _, talk) = torture(&server, &[]).await;
    assert!(code == Some(77) && talk.contains("does not let clients publish"), "{code:?} {talk}");
}

#[tokio::test]
async fn torture_says_what_it_cannot_judge() {
    let server = Server::serve(json!({})).await;
    for (namespace, expected) in [
        ("plain", "has no positions"),
        ("closed", "permission denied (103)"),
        ("nowhere", "unknown channel (102)"),
    ] {
        let (code, _, talk) = torture(&server, &["--namespace", namespace]).await;
        assert!(code == Some(77) && talk.contains(expected), "{namespace}: {code:?} {talk}");
    }
}

/// How a server can break its promise.
#[derive(Clone, Copy, Debug)]
enum Lie {
    /// It sends the third publication twice.
    Twice,
    /// It gives the fourth publication the place of the third.
    SamePlace,
    /// It acknowledges one place and publishes at another.
    OtherPlace,
}

/// A server for one client that tells one lie.
async fn liar(lie: Lie) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(lie_to(stream, lie));
        }
    });
    address
}

async fn lie_to(stream: TcpStream, lie: Lie) -> Option<()> {
    // The first connection is only a look whether somebody is there.
    let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
    let mut count = 0;
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        for command in text.split('\n').filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if !command["publish"].is_null() {
                count += 1;
            }
            for line in answers(lie, &command, count) {
                socket.send(Message::text(line.to_string())).await.ok()?;
            }
        }
    }
    None
}

/// What the liar says to a command; `count` publications have been asked for.
fn answers(lie: Lie, command: &Value, count: u64) -> Vec<Value> {
    let id = &command["id"];
    if command["connect"].is_object() {
        let welcome = json!({ "client": "c", "version": "1", "sw_ext": ["idempotent_publish"] });
        return vec![json!({ "id": id, "connect": welcome })];
    }
    if command["subscribe"].is_object() {
        let granted = json!({ "recoverable": true, "positioned": true, "epoch": "a" });
        return vec![json!({ "id": id, "subscribe": granted })];
    }
    let (told, true_place) = match lie {
        Lie::SamePlace if count == 4 => (3, 3),
        Lie::OtherPlace if count == 3 => (4, 3),
        _ => (count, count),
    };
    let publication = json!({ "data": command["publish"]["data"], "offset": true_place });
    let push = json!({ "push": { "channel": command["publish"]["channel"], "pub": publication } });
    let ack = json!({ "id": id, "publish": { "sw_offset": told, "sw_epoch": "a" } });
    match lie {
        Lie::Twice if count == 3 => vec![push.clone(), push, ack],
        _ => vec![push, ack],
    }
}

#[tokio::test]
async fn torture_finds_out_a_server_that_lies() {
    for (lie, sin) in [
        (Lie::Twice, "duplicate: client 0, in torture-"),
        (Lie::SamePlace, "duplicate: client 0, in torture-"),
        (Lie::OtherPlace, "duplicate: in torture-"),
    ] {
        let (code, accounts, talk) = torture_at(liar(lie).await, 1, &[]).await;
        assert_eq!(code, Some(1), "{lie:?}: {accounts}{talk}");
        assert!(talk.contains("the promise is broken") && talk.contains(sin), "{lie:?}: {talk}");
        assert!(talk.contains("\n    expected  ") && talk.contains("\n    got  "), "{lie:?}: {talk}");
    }
}

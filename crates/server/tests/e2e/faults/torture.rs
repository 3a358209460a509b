//! `spanwire torture`, as it is typed.

use serde_json::{Value, json};

use super::stage::nothing_is_left;
use crate::support::server::{API_KEY, Server, spanwire};
use crate::support::until::within;

/// Runs it for a second, and returns its exit code and what it said on stdout and stderr.
async fn torture(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let url = format!("http://{}", server.address);
    let fixed = ["torture", &url, "--clients", "30", "--channels", "5", "--seconds", "1"];
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

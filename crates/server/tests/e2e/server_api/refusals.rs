//! Calls that are refused by their head alone, while their body is still on its way, and what stock clients make of it.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::http::{self, answer, get};
use crate::support::require;
use crate::support::server::{API_KEY, Server};
use crate::support::until::within;

/// Calls over one connection, as `http.client` of Python's standard library does it: it sends the whole body before it reads
/// anything. Says of each call its status, and whether the connection could still be used for the next one.
const PYTHON: &str = r#"
import http.client, json, os
calls = json.loads(os.environ["CALLS"])
connection = http.client.HTTPConnection(os.environ["ADDRESS"], timeout=60)
for call in calls:
    was_open = connection.sock is not None
    connection.request("POST", call["path"], b"x" * call["bytes"], {"X-API-Key": call["key"]})
    socket = connection.sock
    answer = connection.getresponse()
    answer.read()
    print(json.dumps([answer.status, was_open and connection.sock is socket]), flush=True)
"#;

/// What came of each call: its status, and whether it came over the connection of the one before it.
async fn call(server: &Server, calls: Value) -> Option<Vec<(u64, bool)>> {
    let mut command = Command::new(require::plain_python()?);
    command.args(["-c", PYTHON]).env("CALLS", calls.to_string()).env("ADDRESS", server.address.to_string());
    let output = within("Python", command.kill_on_drop(true).output()).await.expect("Python can be started");
    let (said, trouble) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{trouble}\n{}", server.said());
    let lines = said.lines().map(|line| serde_json::from_str(line).expect("it says JSON"));
    Some(lines.collect())
}

#[tokio::test]
async fn who_is_refused_hears_it_and_goes_on_with_the_same_connection() {
    let server = Server::serve(json!({ "http_api": { "rate_limit": 1 } })).await;
    // A call pays afterwards for all that it asked for, so that this one leaves nothing for a quarter of an hour.
    let channels: Vec<_> = (0..1000).map(|number| format!("square{number}")).collect();
    http::api(server.address, "broadcast", &json!({ "channels": channels, "data": 1 })).await;
    let long = 60_000;
    let calls = json!([
        { "path": "/api/publish", "bytes": long, "key": "wrong" },
        { "path": "/api/teleport", "bytes": long, "key": API_KEY },
        { "path": "/api", "bytes": long, "key": "" },
        { "path": "/api/publish", "bytes": long, "key": API_KEY },
        { "path": "/api/publish", "bytes": long, "key": API_KEY },
        { "path": "/api/publish", "bytes": long, "key": "wrong" },
    ]);
    let Some(said) = call(&server, calls).await else { return };
    let statuses: Vec<_> = said.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [401, 404, 401, 429, 429, 401]);
    assert!(said[1..].iter().all(|(_, is_same)| *is_same), "{said:?}");
}

#[tokio::test]
async fn who_sends_far_too_much_hears_that_and_no_reset_connection() {
    let server = Server::serve(json!({})).await;
    let calls = json!([
        { "path": "/api/publish", "bytes": 5_000_000, "key": API_KEY },
        { "path": "/api/publish", "bytes": 5_000_000, "key": "wrong" },
        { "path": "/health", "bytes": 5_000_000, "key": "" },
        { "path": "/api/info", "bytes": 0, "key": "wrong" },
    ]);
    let Some(said) = call(&server, calls).await else { return };
    assert_eq!(said, [(413, false), (401, false), (405, false), (401, false)]);
    assert_eq!(get(server.address, "/health").await.status, 200);
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_asked_for_by_a_refusal() {
    let server = Server::serve(json!({})).await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
    let head = format!(
        "POST /api/publish HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    assert_eq!(within("the refusal", answer(&mut stream)).await.status, 401);
}

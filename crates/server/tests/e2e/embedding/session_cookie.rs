//! `examples/session_cookie.rs`: who somebody is, by the cookie of the application's own session.

use serde_json::json;

use crate::support::http::post;
use crate::support::peer::Peer;
use crate::support::server::Server;

async fn log_in(server: &Server, user: &str) -> String {
    let response = post(server.address, &format!("/log-in/{user}"), "", "").await;
    let cookie = response.header("set-cookie").expect("a session begins with a cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn a_session_cookie_says_who_somebody_is_and_its_end_ends_the_connection() {
    let server = Server::example("session_cookie").await;
    let cookie = log_in(&server, "ann").await;
    let mut ann = Peer::open_with(server.address, "cookie", &format!("theme=dark; {cookie}")).await.unwrap();
    let connected = ann.call("connect", json!({})).await;
    assert!(connected["subs"]["inbox:ann"].is_object(), "{connected}");

    let notified = post(server.address, "/notify/ann", "", "{\"parcel\":7}").await.json();
    assert_eq!(notified["offset"], 1);
    assert!(notified["epoch"].is_string(), "{notified}");
    assert_eq!(ann.publication().await, json!({ "parcel": 7 }));

    let headers = format!("Cookie: {cookie}\r\n");
    assert_eq!(post(server.address, "/log-out", &headers, "").await.status, 204);
    assert_eq!(ann.closed().await.0, 3503);
    let mut late = Peer::open_with(server.address, "cookie", &cookie).await.unwrap();
    assert_eq!(late.refusal("connect", json!({})).await, 103);
}

#[tokio::test]
async fn nobody_comes_in_without_a_cookie_or_with_a_guessed_one() {
    let server = Server::example("session_cookie").await;
    let mut stranger = Peer::open(server.address).await;
    let reply = stranger.reply("connect", json!({})).await;
    assert_eq!(reply["error"], json!({ "code": 103, "message": "log in first" }));
    let guess = format!("session={:032x}", 7);
    let mut guesser = Peer::open_with(server.address, "cookie", &guess).await.unwrap();
    assert_eq!(guesser.refusal("connect", json!({})).await, 103);
}

#[tokio::test]
async fn somebody_elses_page_is_refused_although_the_browser_sends_the_cookie() {
    let server = Server::example("session_cookie").await;
    let refused = Peer::open_with(server.address, "origin", "https://evil.example").await;
    assert_eq!(refused.err(), Some(403));
}

#[tokio::test]
async fn a_user_hears_nothing_of_another_users_inbox() {
    let server = Server::example("session_cookie").await;
    let cookie = log_in(&server, "bob").await;
    let mut bob = Peer::open_with(server.address, "cookie", &cookie).await.unwrap();
    bob.call("connect", json!({})).await;
    assert_eq!(bob.refusal("subscribe", json!({ "channel": "inbox:ann" })).await, 103);
    assert_eq!(bob.refusal("publish", json!({ "channel": "inbox:bob", "data": 1 })).await, 103);
}

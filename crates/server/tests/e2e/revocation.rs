//! Tokens and users that are good no more: whoever is here goes at once, and who comes is not let in.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::until;

/// What is promised, on a machine that has nothing else to do.
const PROMPTLY: Duration = Duration::from_secs(1);

async fn ordered(address: SocketAddr, method: &str, body: Value) {
    let answer = http::api(address, method, &body).await;
    assert_eq!(answer, json!({ "result": {} }), "{method} {body}");
}

async fn refused_with(address: SocketAddr, token: &str) -> u16 {
    let mut peer = Peer::open(address).await;
    peer.text(&json!({ "id": 1, "connect": { "token": token } }).to_string()).await;
    peer.closed().await.0
}

async fn metric(address: SocketAddr, name: &str) -> u64 {
    let text = http::get(address, "/metrics").await.body;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or(0)
}

/// So many connections with this token, on whichever shards.
async fn crowd(address: SocketAddr, token: &str, count: usize) -> Vec<Peer> {
    join_all((0..count).map(|_| Peer::connect_as(address, json!({ "token": token })))).await
}

/// How long it takes from the order until all of them are closed with this code.
async fn time_to_close(
    server: &Server,
    peers: &mut [Peer],
    method: &str,
    body: Value,
    code: u16,
) -> Duration {
    let begun = Instant::now();
    ordered(server.address, method, body).await;
    let codes = join_all(peers.iter_mut().map(Peer::closed)).await;
    assert!(codes.iter().all(|(closed, _)| *closed == code), "{codes:?}");
    begun.elapsed()
}

#[tokio::test]
async fn a_revoked_token_ends_its_connections_on_all_shards_in_under_a_second() {
    let server = Server::serve(json!({ "prometheus": { "enabled": true } })).await;
    let token = signed(json!({ "sub": "ana", "jti": "t1", "exp": seconds_from_now(600) }));
    let (mut theirs, mut plain) = (
        crowd(server.address, &token, 30).await,
        crowd(server.address, &signed(json!({ "sub": "ben" })), 30).await,
    );
    let mut other =
        Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "ana", "jti": "t2" })) }))
            .await;
    let until_then = seconds_from_now(600);
    let order = json!({ "uid": "t1", "expire_at": until_then });
    let took = time_to_close(&server, &mut theirs, "revoke_token", order, 3500).await;
    // How slow the machine is at the moment says an order that has nothing to look up.
    let usual = time_to_close(&server, &mut plain, "disconnect", json!({ "user": "ben" }), 3503).await;
    println!(
        "30 connections closed {took:?} after their token was revoked; a plain disconnect of 30: {usual:?}"
    );
    assert!(took < PROMPTLY.max(usual * 10), "{took:?}, and a plain disconnect {usual:?}");
    assert_eq!(refused_with(server.address, &token).await, 3500);
    other.call("subscribe", json!({ "channel": "square" })).await;
    let of = server.address;
    assert_eq!(metric(of, "spanwire_revoked_ended_total{what=\"connection\"}").await, 30);
    assert_eq!(metric(of, "spanwire_revoked_refused_total{kind=\"token\"}").await, 1);
    assert_eq!(metric(of, "spanwire_revocations{kind=\"token\"}").await, 1);
}

#[tokio::test]
async fn a_new_password_ends_the_older_tokens_of_its_user_and_of_nobody_else() {
    let server = Server::serve(json!({})).await;
    let token = |user: &str, issued: i64| signed(json!({ "sub": user, "iat": seconds_from_now(issued) }));
    let (old, new) = (token("ana", -100), token("ana", 0));
    let mut ana = Peer::connect_as(server.address, json!({ "token": old })).await;
    let mut ben = Peer::connect_as(server.address, json!({ "token": token("ben", -100) })).await;
    let issued_before = seconds_from_now(-50);
    ordered(
        server.address,
        "invalidate_user_tokens",
        json!({ "user": "ana", "issued_before": issued_before }),
    )
    .await;
    assert_eq!(ana.closed().await, (3500, "invalid token".to_owned()));
    assert_eq!(refused_with(server.address, &old).await, 3500);
    assert_eq!(refused_with(server.address, &signed(json!({ "sub": "ana" }))).await, 3500);
    let mut back = Peer::connect_as(server.address, json!({ "token": new })).await;
    for peer in [&mut ben, &mut back] {
        peer.call("subscribe", json!({ "channel": "square" })).await;
    }
    // An old token does not prolong a new connection either.
    back.text(&json!({ "id": 9, "refresh": { "token": old } }).to_string()).await;
    assert_eq!(back.closed().await.0, 3500);
}

#[tokio::test]
async fn a_subscription_token_is_revoked_and_the_connection_stays() {
    let server = Server::serve(json!({})).await;
    let mut ana = Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "ana" })) })).await;
    let opening = |channel: &str, jti: &str| {
        signed(json!({ "sub": "ana", "channel": channel, "jti": jti, "iat": seconds_from_now(-100) }))
    };
    let (first, second) = (opening("$a", "s1"), opening("$b", "s2"));
    ana.call("subscribe", json!({ "channel": "$a", "token": first })).await;
    ana.call("subscribe", json!({ "channel": "$b", "token": second })).await;
    ordered(server.address, "revoke_token", json!({ "uid": "s1" })).await;
    let push = ana.push("unsubscribe").await;
    assert_eq!((&push["channel"], &push["unsubscribe"]["code"]), (&json!("$a"), &json!(2000)));
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "$a", "token": first })).await, 103);
    ordered(server.address, "invalidate_user_tokens", json!({ "user": "ana", "channel": "$b" })).await;
    assert_eq!(ana.push("unsubscribe").await["channel"], "$b");
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "$b", "token": second })).await, 103);
    // Tokens of other channels, and the connection's own, are as good as they were.
    ana.call("subscribe", json!({ "channel": "$c", "token": opening("$c", "s3") })).await;
}

#[tokio::test]
async fn a_blocked_user_is_closed_and_kept_out_until_the_block_ends() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana" }));
    let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
    ordered(server.address, "block_user", json!({ "user": "ana" })).await;
    assert_eq!(ana.closed().await, (3503, "force disconnect".to_owned()));
    assert_eq!(refused_with(server.address, &token).await, 3503);
    Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "ben" })) })).await;
    ordered(server.address, "unblock_user", json!({ "user": "ana" })).await;
    Peer::connect_as(server.address, json!({ "token": token })).await;
    ordered(server.address, "block_user", json!({ "user": "ana", "expire_at": seconds_from_now(2) })).await;
    until("the block to end by itself", async || {
        let mut ana = Peer::open(server.address).await;
        ana.text(&json!({ "id": 1, "connect": { "token": token } }).to_string()).await;
        let message = ana.message().await;
        message.to_text().is_ok_and(|text| text.contains("\"connect\"")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_is_to_be_revoked_must_be_named_and_the_end_of_it_lie_ahead() {
    let server = Server::serve(json!({})).await;
    for (method, body) in [
        ("revoke_token", json!({})),
        ("revoke_token", json!({ "uid": "t1", "expire_at": seconds_from_now(-1) })),
        ("invalidate_user_tokens", json!({ "user": "" })),
        ("block_user", json!({ "user": "x".repeat(256) })),
        ("unblock_user", json!({})),
    ] {
        let answer = http::api(server.address, method, &body).await;
        assert_eq!(answer["error"]["code"], 107, "{method} {body}: {answer}");
    }
}

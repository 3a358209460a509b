use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use spanwire_client::{Ended, TokenError};

use crate::support::server::{Server, within};

/// Counts the tokens that it gives, and names them by their number.
fn counting() -> impl Fn() -> std::future::Ready<Result<String, TokenError>> + Send + Sync + 'static {
    let count = Arc::new(AtomicU32::new(0));
    move || std::future::ready(Ok(format!("token {}", count.fetch_add(1, Ordering::Relaxed) + 1)))
}

#[tokio::test]
async fn a_connection_is_renewed_before_its_token_expires_and_made_anew_when_it_has() {
    let server = Server::start().await;
    let client = server.client().token_provider(counting()).connect().unwrap();
    let mut peer = server.peer().await;
    assert_eq!(peer.hears("connect").await["token"], "token 1");
    peer.answers("connect", json!({ "client": "me", "expires": true, "ttl": 1 })).await;
    assert_eq!(peer.hears("refresh").await["token"], "token 2");
    peer.answers("refresh", json!({ "client": "me", "expires": true, "ttl": 1000 })).await;
    peer.closes(3005, "connection expired").await;
    let mut peer = server.peer().await;
    assert_eq!(peer.hears("connect").await["token"], "token 3");
    peer.answers("connect", json!({ "client": "me" })).await;
    within("the connection", client.ready()).await.unwrap();
}

#[tokio::test]
async fn a_token_that_cannot_be_had_now_is_asked_for_again() {
    let server = Server::start().await;
    let count = Arc::new(AtomicU32::new(0));
    let provider = move || {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                Err(std::io::Error::other("the backend is down"))?;
            }
            Ok("later".to_owned())
        }
    };
    let _client = server.client().token_provider(provider).connect().unwrap();
    let mut peer = server.peer().await;
    assert_eq!(peer.hears("connect").await["token"], "later");
}

#[tokio::test]
async fn who_gets_no_token_is_out() {
    let server = Server::start().await;
    let client =
        server.client().token_provider(|| async { Err(TokenError::unauthorized()) }).connect().unwrap();
    assert_eq!(within("the end", client.closed()).await.code, Ended::NO_TOKEN);
}

#[tokio::test]
async fn a_channel_has_tokens_of_its_own_and_new_ones_before_they_expire() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let _subscription = client.channel::<u64>("$x").token_provider(counting()).listen();
    assert_eq!(peer.hears("subscribe").await["token"], "token 1");
    peer.answers("subscribe", json!({ "expires": true, "ttl": 1 })).await;
    assert_eq!(peer.hears("sub_refresh").await, json!({ "channel": "$x", "token": "token 2" }));
    peer.answers("sub_refresh", json!({ "expires": true, "ttl": 1 })).await;
    assert_eq!(peer.hears("sub_refresh").await["token"], "token 3");
}

#[tokio::test]
async fn a_single_token_that_is_no_good_any_more_ends_the_subscription() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let refused = async {
        assert_eq!(peer.hears("subscribe").await["token"], "only");
        peer.refuses("subscribe", 109, false).await;
    };
    let (ended, ()) = tokio::join!(client.channel::<u64>("$x").token("only").subscribe(), refused);
    assert_eq!(ended.unwrap_err().code, 109);
}

#[tokio::test]
async fn a_single_token_is_good_for_a_reader_who_pauses_too() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    let mut subscription = client.channel::<u64>("$x").token("only").buffer(2, 1000).listen();
    peer.lets_in("$x", json!({})).await;
    peer.publishes("$x", [0, 0, 0]).await;
    peer.hears("unsubscribe").await;
    within("an event", subscription.next()).await;
    assert_eq!(peer.hears("subscribe").await["token"], "only");
}

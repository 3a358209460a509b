use serde_json::json;
use spanwire_client::{CallError, Ended, Error, Event, Status};

use crate::support::server::{Server, within};

#[tokio::test]
async fn closing_takes_leave_in_good_order() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
    let (code, ()) = tokio::join!(peer.closed(), client.close());
    assert_eq!(code, Some(1000));
    assert!(matches!(client.status(), Status::Closed(Ended { code: Ended::WISH, .. })));
    client.close().await; // once more does no harm
}

#[tokio::test]
async fn what_was_sent_before_the_end_goes_out() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut peer = server.welcomed().await;
    within("the connection", client.ready()).await.unwrap();
    let publisher = client.clone();
    let large = "x".repeat(1 << 20);
    let published = tokio::spawn(async move { publisher.publish("x", &large).await });
    // The order to publish comes before the order to close.
    tokio::task::yield_now().await;
    let close = async { client.close().await };
    let hear = async {
        assert_eq!(peer.hears("publish").await["data"].as_str().map(str::len), Some(1 << 20));
        peer.closed().await
    };
    let (code, ()) = tokio::join!(hear, close);
    assert_eq!(code, Some(1000));
    let error = within("the answer", published).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Call(CallError::Unacknowledged)), "{error}");
}

#[tokio::test]
async fn dropping_the_last_handle_disconnects_and_ends_the_subscriptions() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let mut subscription = client.channel::<u64>("x").listen();
    let mut peer = server.welcomed().await;
    peer.lets_in("x", json!({})).await;
    let clone = client.clone();
    drop(client);
    assert!(matches!(within("an event", subscription.next()).await, Some(Event::Subscribed(_))));
    drop(clone);
    assert_eq!(peer.closed().await, Some(1000));
    assert!(matches!(within("the end", subscription.next()).await, Some(Event::Ended(_))));
    assert!(within("the end", subscription.next()).await.is_none());
}

#[tokio::test]
async fn a_client_can_be_closed_before_it_has_a_connection() {
    let server = Server::start().await;
    let client = server.client().connect().unwrap();
    let _silent = server.stream().await;
    within("the end", client.close()).await;
    assert_eq!(client.closed().await.code, Ended::WISH);
    let mut events = client.events();
    assert!(within("the end", events.next()).await.is_none());
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, mut subscription) = runtime.block_on(async {
        let server = Server::start().await;
        let client = server.client().connect().unwrap();
        let subscription = client.channel::<u64>("x").listen();
        let mut peer = server.welcomed().await;
        peer.lets_in("x", json!({})).await;
        within("the connection", client.ready()).await.unwrap();
        (client, subscription)
    });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        while within("the end", subscription.next()).await.is_some() {}
        within("the end", client.closed()).await;
        let error = within("an answer", client.publish("x", &1)).await.unwrap_err();
        assert!(matches!(error, Error::Call(CallError::Closed)));
    });
}

//! Everything that can be asked, in both encodings, with and without TLS.

use serde_json::json;
use spanwire_client::{CallError, Client, Ended, Error, Event, History, Raw};

use super::listener::{Listener, client, publish};
use crate::support::secure::Secure;
use crate::support::server::Server;
use crate::support::until::within;

/// Publishes, hears it, and asks everything that there is to ask.
pub(super) async fn converse(client: &Client) {
    let mut square = within("the channel", client.channel::<String>("square").join_leave().subscribe())
        .await
        .expect("it is open");
    let position = client.publish("square", "hello").await.expect("it is open").expect("it has positions");
    assert_eq!(position.offset, 1);
    loop {
        match within("the publication", square.next()).await {
            Some(Event::Publication(publication)) => {
                assert_eq!((publication.data.as_str(), publication.offset), ("hello", 1));
                break;
            }
            Some(Event::Subscribed(_) | Event::Join(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    let page = client.history::<String>("square", History::newest(10)).await.expect("it has a history");
    assert_eq!((page.publications[0].data.as_str(), page.top), ("hello", position));
    assert_eq!(client.presence("square").await.expect("it has presence").len(), 1);
    assert_eq!(client.presence_stats("square").await.expect("it has presence").clients, 1);
    let denied = client.channel::<Raw>("closed:x").subscribe().await.expect_err("it is closed");
    assert_eq!(denied.code, 103);
    let denied = client.publish("closed:x", &1).await.expect_err("it is closed");
    assert_eq!(denied.code(), Some(103));
    let unknown = client.rpc::<Raw>("no such method", &json!({})).await.expect_err("there is no backend");
    assert!(matches!(unknown, Error::Call(CallError::Refused(_))), "{unknown}");
    within("the goodbye", client.close()).await;
    assert_eq!(client.closed().await.code, Ended::WISH);
}

#[tokio::test]
async fn in_json() {
    let server = Server::serve(json!({})).await;
    converse(&client(server.address)).await;
}

#[tokio::test]
async fn in_protobuf() {
    let server = Server::serve(json!({})).await;
    let client = Client::builder(server.websocket()).protobuf().connect().expect("an address");
    let mut binary = client.channel::<Raw>("plain:bytes").subscribe().await.expect("it is open");
    let bytes = Raw(vec![0, 159, 146, 150].into());
    client.publish("plain:bytes", &bytes).await.expect("it is open");
    loop {
        if let Event::Publication(publication) = within("the bytes", binary.next()).await.expect("an event") {
            assert_eq!(publication.data, bytes, "what is no JSON comes as it was sent");
            break;
        }
    }
    converse(&client).await;
}

#[tokio::test]
async fn over_tls_to_a_server_that_it_trusts_and_to_no_other() {
    let secure = Secure::serve(json!({})).await;
    let url = format!("wss://localhost:{}/connection/websocket", secure.server.address.port());
    let client = Client::builder(&url).ca_file(secure.authority()).connect().expect("an authority");
    converse(&client).await;
    // The system's authorities have never heard of this server.
    match Client::builder(&url).connect() {
        Ok(stranger) => {
            let mut events = stranger.events();
            match within("a refusal", events.next()).await {
                Some(spanwire_client::ClientEvent::Disconnected(why)) => {
                    assert_eq!(why.code, Ended::DISTRUSTED, "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        Err(error) => assert!(matches!(error, spanwire_client::ConfigError::NoAuthorities), "{error}"),
    }
}

#[tokio::test]
async fn a_reader_who_pauses_misses_nothing_that_the_history_holds() {
    let server = Server::serve(json!({})).await;
    let client = client(server.address);
    let mut listener = Listener::of(client.channel("square").buffer(8, 1 << 20)).await;
    publish(&server, "square", 1..=90).await;
    listener.until_heard(90).await;
    listener.has_all(90);
    // The buffer is too small for all of it.
    listener.until("the return", |it| it.subscribed > 1).await;
}

#[tokio::test]
async fn a_reader_who_pauses_for_too_long_is_told_what_is_missing() {
    let server = Server::serve(json!({})).await;
    let client = client(server.address);
    let mut listener = Listener::of(client.channel("small:room").buffer(4, 1 << 20)).await;
    publish(&server, "small:room", 1..=40).await;
    // The server has taken them all, but what it wrote may still be on its way.
    listener.until("the gap", |it| it.gaps > 0).await;
    publish(&server, "small:room", [41]).await;
    listener.until_heard(41).await;
    assert!(listener.heard.is_sorted(), "{:?}", listener.heard);
}

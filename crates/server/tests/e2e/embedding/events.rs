//! A backend beside the application that has the hub in it, told of the same events as by a server.

use std::net::SocketAddr;

use axum::Router;
use serde_json::json;
use spanwire::{Hub, Namespace};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::backend::Backend;
use crate::support::peer::Peer;
use crate::support::until::{until, within};

#[tokio::test]
async fn a_hub_within_an_application_tells_a_backend_of_whole_lives_up_to_its_own_end() {
    let backend = Backend::start(|_| (200, json!({}))).await;
    let hub = Hub::builder().anonymous().namespace("chat", Namespace::open()).shards(2);
    let hub = hub.option("events.endpoint", format!("http://{}/events", backend.address));
    let hub = hub.option("events.secret", "a secret of the application").build().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = Router::new().merge(hub.router()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(stopped));
    let server = tokio::spawn(serving.into_future());

    let bob = Peer::subscribe(address, "chat:lobby").await;
    let mut told = Vec::new();
    let mut listen = || {
        for asked in backend.take_asked("/events") {
            assert!(asked.headers.contains_key("x-spanwire-signature"), "{asked:?}");
            let events = asked.body["events"].as_array().expect("events").clone();
            told.extend(events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()));
        }
        told.clone()
    };
    let beginning = ["started", "connected", "occupied", "subscribed"];
    until("the backend to be told of him", async || (listen() == beginning).then_some(())).await;
    drop(bob);
    let end = ["unsubscribed", "vacated", "disconnected"];
    until("the backend to be told of his end", async || {
        (listen() == [&beginning[..], &end[..]].concat()).then_some(())
    })
    .await;
    stop.send(()).unwrap();
    within("the application to end", server).await.unwrap().unwrap();
    assert_eq!(listen(), [&beginning[..], &end[..], &["stopped"]].concat());
}

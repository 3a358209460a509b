//! `examples/hyper.rs`: the hub under a server of plain hyper.

use serde_json::json;
use spanwire_client::{Client, Event, Transport};

use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::within;

#[tokio::test]
async fn clients_talk_over_every_transport_under_plain_hyper() {
    let server = Server::example("hyper").await;
    let mut ann = Peer::subscribe(server.address, "chat:lobby").await;
    for (number, transport) in
        [Transport::WebSocket, Transport::HttpStream, Transport::Sse].iter().enumerate()
    {
        let bob = Client::builder(server.websocket()).transports([*transport]).connect().expect("an address");
        let lobby = bob.channel::<String>("chat:lobby").subscribe();
        let mut lobby = within("the channel", lobby).await.expect("it is open");
        within("the answer", bob.publish("chat:lobby", &number)).await.expect("it is open");
        assert_eq!(ann.publication().await, number, "{transport:?}");
        let answer = format!("to {transport:?}");
        ann.call("publish", json!({ "channel": "chat:lobby", "data": answer })).await;
        assert_eq!(ann.publication().await, answer, "her own words");
        loop {
            match within("the answer", lobby.next()).await {
                Some(Event::Publication(it)) if it.offset == number as u64 * 2 + 2 => {
                    assert_eq!(it.data, answer);
                    break;
                }
                Some(Event::Subscribed(_) | Event::Unreadable(..) | Event::Join(_) | Event::Leave(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        within("the goodbye", bob.close()).await;
    }
}

#[tokio::test]
async fn the_application_keeps_its_own_pages_and_the_hub_its_paths() {
    let server = Server::example("hyper").await;
    for (path, status) in
        [("/", 200), ("/spanwire.js", 200), ("/nothing", 404), ("/connection/websocket", 426)]
    {
        let response = get(server.address, path).await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test]
async fn sigterm_tells_every_client_before_plain_hyper_ends() {
    let mut server = Server::example("hyper").await;
    let mut peer = Peer::subscribe(server.address, "chat:lobby").await;
    server.terminate();
    assert_eq!(peer.closed().await, (3001, "shutdown".to_owned()));
    assert!(server.ended().await.success());
}

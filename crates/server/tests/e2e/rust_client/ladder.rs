//! The other transports, and how the client finds them.

use std::time::Duration;

use serde_json::{Value, json};
use spanwire_client::{Client, Limits, Status, Transport};

use super::listener::{Listener, publish};
use super::speaking::converse;
use crate::support::line::DevLine;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::{PATIENCE, within};

fn transport(client: &Client) -> Transport {
    match client.status() {
        Status::Connected { transport, .. } => transport,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_can_be_said_over_every_transport() {
    for (transport, protobuf) in
        [(Transport::HttpStream, false), (Transport::HttpStream, true), (Transport::Sse, false)]
    {
        let server = Server::serve(json!({})).await;
        let client = Client::builder(server.websocket()).transports([transport]);
        let client = if protobuf { client.protobuf() } else { client };
        let client = client.connect().expect("an address");
        within("the connection", client.ready()).await.expect("it lets us in");
        assert_eq!(self::transport(&client), transport);
        converse(&client).await;
    }
}

#[tokio::test]
async fn many_at_once_come_in_their_order_over_every_transport() {
    for transport in [Transport::HttpStream, Transport::Sse] {
        let server = Server::serve(json!({})).await;
        let client =
            Client::builder(server.websocket()).transports([transport]).connect().expect("an address");
        let mut listener = Listener::of(client.channel("square")).await;
        let publish = async |number| client.publish("square", &number).await.expect("it is open");
        let numbers = (1..=60).map(publish);
        within("the acknowledgements", futures_util::future::join_all(numbers)).await;
        listener.until_heard(60).await;
        listener.has_all(60);
    }
}

#[tokio::test]
async fn a_drop_of_a_stream_is_recovered_from() {
    let server = Server::serve(json!({})).await;
    let proxy = crate::support::proxy::Proxy::to(server.address).await;
    for transport in [Transport::HttpStream, Transport::Sse] {
        let channel = format!("square-{transport:?}");
        let url = format!("ws://{}/connection/websocket", proxy.address);
        let client = Client::builder(url).transports([transport]).connect().expect("an address");
        let mut listener = Listener::of(client.channel(channel.as_str())).await;
        for round in 0..3 {
            publish(&server, &channel, [round * 2 + 1]).await;
            proxy.cut(crate::support::proxy::Cut::Reset);
            publish(&server, &channel, [round * 2 + 2]).await;
            listener.until_heard(round * 2 + 2).await;
        }
        listener.has_all(6);
    }
}

/// With this in the way, and so much patience with a WebSocket, this transport is what gets through.
async fn finds(obstacles: Value, open_within: Duration, expected: Transport) {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&obstacles).await;
    let url = format!("ws://localhost:{}/connection/websocket", line.address.port());
    let limits =
        Limits { connect_within: PATIENCE, open_within, stream_within: PATIENCE, ..Limits::default() };
    let client = Client::builder(url).limits(limits).connect().expect("an address");
    let mut listener = Listener::of(client.channel("chat:numbers")).await;
    assert_eq!(transport(&client), expected, "{obstacles}");
    let mut publisher = Peer::connect(server.address).await;
    for number in 1..=10 {
        publisher.call("publish", json!({ "channel": "chat:numbers", "data": number })).await;
        if number == 5 {
            line.cut().await;
        }
    }
    listener.until_heard(10).await;
    listener.has_all(10);
}

#[tokio::test]
async fn where_websockets_are_refused_it_finds_a_stream_and_goes_on_there() {
    finds(json!({ "upgrades": "refuse" }), PATIENCE, Transport::HttpStream).await;
}

#[tokio::test]
async fn where_websockets_lead_nowhere_it_finds_a_stream() {
    finds(json!({ "upgrades": "hang" }), Duration::from_millis(300), Transport::HttpStream).await;
}

#[tokio::test]
async fn where_nothing_is_in_the_way_it_takes_a_websocket() {
    finds(json!({}), PATIENCE, Transport::WebSocket).await;
}

#[tokio::test]
async fn once_websockets_get_through_again_it_changes_to_one_without_a_break() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "upgrades": "refuse" })).await;
    let url = format!("ws://localhost:{}/connection/websocket", line.address.port());
    let limits = Limits {
        connect_within: PATIENCE,
        open_within: PATIENCE,
        stream_within: PATIENCE,
        climb_after: Duration::from_millis(200),
        ..Limits::default()
    };
    let client = Client::builder(url)
        .transports([Transport::WebSocket, Transport::HttpStream])
        .limits(limits)
        .connect()
        .expect("an address");
    let mut listener = Listener::of(client.channel("chat:numbers")).await;
    assert_eq!(transport(&client), Transport::HttpStream);
    line.set(&json!({})).await;
    let mut publisher = Peer::connect(server.address).await;
    let mut last = 0;
    while transport(&client) != Transport::WebSocket {
        last += 1;
        publisher.call("publish", json!({ "channel": "chat:numbers", "data": last })).await;
        listener.until_heard(last).await;
    }
    publisher.call("publish", json!({ "channel": "chat:numbers", "data": last + 1 })).await;
    listener.until_heard(last + 1).await;
    listener.has_all(last + 1);
    assert_eq!(listener.interrupted, 0);
}

/// A client of a line, with patience for a loaded machine.
fn patient(line: &DevLine) -> spanwire_client::Builder {
    let url = format!("ws://localhost:{}/connection/websocket", line.address.port());
    let limits = Limits {
        connect_within: PATIENCE,
        open_within: PATIENCE,
        stream_within: PATIENCE,
        ..Limits::default()
    };
    Client::builder(url).limits(limits)
}

#[tokio::test]
async fn where_websockets_are_refused_each_fallback_is_found_in_the_encodings_that_it_has() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    line.set(&json!({ "upgrades": "refuse" })).await;
    for (fallback, protobuf) in
        [(Transport::HttpStream, false), (Transport::HttpStream, true), (Transport::Sse, false)]
    {
        let builder = patient(&line).transports([Transport::WebSocket, fallback]);
        let client = if protobuf { builder.protobuf() } else { builder }.connect().expect("an address");
        let name = format!("chat:{fallback:?}-{protobuf}");
        let mut listener = Listener::of(client.channel(name.as_str())).await;
        assert_eq!(transport(&client), fallback);
        for number in 1..=3 {
            within("the answer", client.publish(name.as_str(), &number)).await.expect("it is open");
        }
        listener.until_heard(3).await;
        listener.has_all(3);
    }
}

#[tokio::test]
async fn where_websockets_begin_to_be_refused_it_goes_on_over_a_stream_and_misses_nothing() {
    let server = Server::dev().await;
    let line = DevLine::to(&server).await;
    for (round, fallback) in [Transport::HttpStream, Transport::Sse].into_iter().enumerate() {
        line.set(&json!({})).await;
        let client =
            patient(&line).transports([Transport::WebSocket, fallback]).connect().expect("an address");
        let name = format!("chat:change-{round}");
        let mut listener = Listener::of(client.channel(name.as_str())).await;
        assert_eq!(transport(&client), Transport::WebSocket);
        let mut publisher = Peer::connect(server.address).await;
        for number in 1..=6 {
            if number == 4 {
                line.set(&json!({ "upgrades": "refuse" })).await;
                line.cut().await;
            }
            publisher.call("publish", json!({ "channel": name, "data": number })).await;
        }
        listener.until_heard(6).await;
        listener.has_all(6);
        assert_eq!(transport(&client), fallback);
    }
}

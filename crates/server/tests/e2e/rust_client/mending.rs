//! What happens to connections, and what a reader notices of it.

use serde_json::json;
use spanwire_client::{Client, Filter, Status};

use super::listener::{Listener, client, publish};
use crate::faults::stage::Port;
use crate::support::http;
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::server::Server;
use crate::support::until::within;

#[tokio::test]
async fn nothing_is_lost_or_doubled_however_often_the_line_is_cut() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let client = client(proxy.address);
    let mut listener = Listener::of(client.channel("square")).await;
    for round in 0..5 {
        publish(&server, "square", round * 10 + 1..=round * 10 + 5).await;
        proxy.cut(if round % 2 == 0 { Cut::Reset } else { Cut::Close });
        publish(&server, "square", round * 10 + 6..=round * 10 + 10).await;
        listener.until_heard(round * 10 + 10).await;
    }
    listener.has_all(50);
    assert!(listener.interrupted > 0);
}

#[tokio::test]
async fn what_a_client_publishes_is_published_once_however_often_the_line_is_cut() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let (reader, writer) = (client(server.address), client(proxy.address));
    let mut listener = Listener::of(reader.channel("square")).await;
    for number in 1..=30 {
        let published = writer.publish("square", &number);
        let cut = async {
            if number % 5 == 0 {
                proxy.cut(Cut::Reset);
            }
        };
        let (position, ()) = within("the acknowledgement", async { tokio::join!(published, cut) }).await;
        assert_eq!(position.expect("it is repeated under its key").expect("a position").offset, number);
    }
    listener.until_heard(30).await;
    listener.has_all(30);
}

#[tokio::test]
async fn what_a_filter_passes_over_is_no_gap_however_often_the_line_is_cut() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let client = client(proxy.address);
    let wanted = Filter::is("kind", "even");
    let mut listener = Listener::of(client.channel("tagged:numbers").filter(wanted)).await;
    for round in 0..3 {
        for number in round * 10 + 1..=round * 10 + 10 {
            let kind = if number % 2 == 0 { "even" } else { "odd" };
            let told = json!({ "channel": "tagged:numbers", "data": number, "tags": { "kind": kind } });
            let answer = http::api(server.address, "publish", &told).await;
            assert!(answer.get("error").is_none(), "{answer}");
            if number % 10 == 5 {
                proxy.cut(Cut::Reset);
            }
        }
        listener.until_heard(round * 10 + 10).await;
    }
    let even: Vec<u64> = (1..=15).map(|half| half * 2).collect();
    assert_eq!((&listener.heard, listener.gaps), (&even, 0));
    assert!(listener.interrupted > 0);
}

#[tokio::test]
async fn what_the_history_does_not_hold_any_more_is_told_as_a_gap() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let client = client(proxy.address);
    let mut listener = Listener::of(client.channel("small:room")).await;
    publish(&server, "small:room", [1]).await;
    listener.until_heard(1).await;
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Reset);
    publish(&server, "small:room", 2..=9).await;
    proxy.set(Line::Clear);
    listener.until("the gap", |it| it.gaps == 1).await;
    listener.until("the return", |it| it.subscribed == 2).await;
    publish(&server, "small:room", [10]).await;
    listener.until_heard(10).await;
    assert_eq!(listener.heard, [1, 10], "nothing of a history with a hole is passed off as recovered");
}

#[tokio::test]
async fn a_server_that_is_started_again_is_found_and_its_new_life_told() {
    let port = Port::reserve();
    let server = Server::serve(port.setting()).await;
    let client = client(server.address);
    let mut listener = Listener::of(client.channel("square")).await;
    publish(&server, "square", [1]).await;
    listener.until_heard(1).await;
    server.kill().await;
    listener.until("the interruption", |it| it.interrupted == 1).await;
    let server = Server::serve(port.setting()).await;
    listener.until("the return", |it| it.subscribed == 2).await;
    assert_eq!(listener.gaps, 1, "its memory is gone, and nobody knows what was in it");
    publish(&server, "square", [2]).await;
    listener.until_heard(2).await;
    assert_eq!(listener.heard, [1, 2]);
}

#[tokio::test]
async fn a_server_that_drains_is_come_back_to() {
    let port = Port::reserve();
    let mut server = Server::serve(port.setting()).await;
    let client = client(server.address);
    within("the connection", client.ready()).await.expect("it lets us in");
    let mut events = client.events();
    server.terminate();
    let Some(spanwire_client::ClientEvent::Disconnected(why)) = within("the end", events.next()).await else {
        panic!("a goodbye is told")
    };
    assert_eq!(why.code, 3001, "{why}");
    server.ended().await;
    let _server = Server::serve(port.setting()).await;
    within("the return", async {
        while !matches!(events.next().await, Some(spanwire_client::ClientEvent::Connected { .. })) {}
    })
    .await;
}

#[tokio::test]
async fn a_client_that_nobody_wants_back_is_over() {
    let server = Server::serve(json!({})).await;
    let token = crate::support::token::signed(json!({ "sub": "ana" }));
    let client = Client::builder(server.websocket()).token(token).connect().expect("an address");
    within("the connection", client.ready()).await.expect("it lets us in");
    crate::support::http::api(server.address, "disconnect", &json!({ "user": "ana" })).await;
    let why = within("the end", client.closed()).await;
    assert_eq!(why.code, 3503, "{why}");
    assert_eq!(client.status(), Status::Closed(why));
}

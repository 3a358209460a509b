//! Who is there, what was, and where a publication came to stand.

use serde_json::json;
use spanwire_client::{CallError, Client, Error, Event, History, Subscription};

use super::listener::{client, publish};
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::server::Server;
use crate::support::until::within;

/// Reads until so many are told to be there; the result is who.
async fn until_here(subscription: &mut Subscription<u64>, count: usize) -> Vec<String> {
    loop {
        match within("the members", subscription.next()).await.expect("the subscription goes on") {
            Event::Presence(members) if members.len() == count => {
                return members.clients().map(str::to_owned).collect();
            }
            Event::Gap(_) | Event::Ended(_) | Event::NoPresence(_) => panic!("nothing of that happened"),
            _ => {}
        }
    }
}

fn id(client: &Client) -> String {
    match client.status() {
        spanwire_client::Status::Connected { client, .. } => client,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_list_of_who_is_there_follows_everybody_who_comes_and_goes() {
    let server = Server::serve(json!({})).await;
    for protobuf in [false, true] {
        let builder = || {
            let builder = Client::builder(server.websocket());
            if protobuf { builder.protobuf() } else { builder }.connect().expect("an address")
        };
        let (ann, bob) = (builder(), builder());
        let subscribe = ann.channel::<u64>("square").presence().subscribe();
        let mut square = within("the channel", subscribe).await.expect("it is open");
        assert_eq!(until_here(&mut square, 1).await, [id(&ann)]);
        let other = within("the channel", bob.channel::<u64>("square").subscribe()).await;
        let other = other.expect("it is open");
        let mut both = [id(&ann), id(&bob)];
        both.sort();
        assert_eq!(until_here(&mut square, 2).await, both);
        drop(other);
        assert_eq!(until_here(&mut square, 1).await, [id(&ann)]);
        within("the goodbye", ann.close()).await;
    }
}

#[tokio::test]
async fn after_a_break_the_list_is_the_one_of_now() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let (ann, bob) = (client(proxy.address), client(server.address));
    let other = within("the channel", bob.channel::<u64>("square").subscribe()).await.expect("it is open");
    let subscribe = ann.channel::<u64>("square").presence().subscribe();
    let mut square = within("the channel", subscribe).await.expect("it is open");
    until_here(&mut square, 2).await;
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Reset);
    drop(other);
    within("the goodbye", bob.close()).await;
    proxy.set(Line::Clear);
    ann.reconnect_now();
    until_here(&mut square, 1).await;
}

#[tokio::test]
async fn a_history_is_read_page_by_page_in_both_directions() {
    let server = Server::serve(json!({})).await;
    let client = client(server.address);
    publish(&server, "square", 1..=7).await;
    for (first, expected) in
        [(History::all().limit(3), [1, 2, 3, 4, 5, 6, 7]), (History::newest(3), [7, 6, 5, 4, 3, 2, 1])]
    {
        let (mut wanted, mut read, mut pages) = (Some(first), Vec::new(), 0);
        while let Some(page) = wanted {
            let page = within("a page", client.history::<u64>("square", page)).await.expect("it is open");
            read.extend(page.publications.iter().map(|publication| publication.data));
            wanted = page.next();
            pages += 1;
        }
        assert_eq!((read, pages), (expected.to_vec(), 3));
    }
}

#[tokio::test]
async fn what_may_not_wait_is_published_with_a_connection_and_fails_at_once_without() {
    let server = Server::serve(json!({})).await;
    let proxy = Proxy::to(server.address).await;
    let client = client(proxy.address);
    within("the connection", client.ready()).await.expect("it lets us in");
    let position = within("the answer", client.publish("square", &1).queue(false)).await;
    assert_eq!(position.expect("it is open").expect("it has positions").offset, 1);
    let mut events = client.events();
    proxy.set(Line::Refusing);
    proxy.cut(Cut::Reset);
    let is_lost = |event| matches!(event, Some(spanwire_client::ClientEvent::Disconnected(_)));
    while !is_lost(within("the loss", events.next()).await) {}
    let failed = within("the failure", client.publish("square", &2).queue(false)).await;
    assert!(matches!(failed, Err(Error::Call(CallError::Offline))), "{failed:?}");
    proxy.set(Line::Clear);
    let position = within("the answer", client.publish("square", &3)).await;
    assert_eq!(position.expect("this one may wait").expect("a position").offset, 2);
}

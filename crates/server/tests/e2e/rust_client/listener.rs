//! Somebody who reads a channel of numbers, and keeps an account of what was said.

use serde_json::{Value, json};
use spanwire_client::{Channel, Client, Event, Subscription};

use crate::support::http;
use crate::support::server::Server;
use crate::support::until::within;

/// A reader of a channel of numbers, with an account of it.
pub(super) struct Listener {
    subscription: Subscription<u64>,
    /// Every number, in the order of its coming.
    pub(super) heard: Vec<u64>,
    /// How many gaps were told.
    pub(super) gaps: usize,
    /// How often the channel was heard anew.
    pub(super) subscribed: usize,
    /// How often it was interrupted.
    pub(super) interrupted: usize,
}

impl Listener {
    /// Subscribes, and waits until the channel is heard.
    pub(super) async fn of(channel: Channel<u64>) -> Self {
        let subscription = within("the subscription", channel.subscribe()).await.expect("it is allowed");
        Self { subscription, heard: Vec::new(), gaps: 0, subscribed: 0, interrupted: 0 }
    }

    /// Reads until this holds.
    pub(super) async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        while !holds(self) {
            self.read(what).await;
        }
    }

    /// Reads until this number has come.
    pub(super) async fn until_heard(&mut self, number: u64) {
        self.until(&format!("number {number}"), |it| it.heard.contains(&number)).await;
    }

    async fn read(&mut self, what: &str) {
        match within(what, self.subscription.next()).await.expect("the subscription goes on") {
            Event::Publication(publication) => self.heard.push(publication.data),
            Event::Gap(_) => self.gaps += 1,
            Event::Subscribed(_) => self.subscribed += 1,
            Event::Interrupted(_) => self.interrupted += 1,
            Event::Join(_) | Event::Leave(_) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Everything up to this number was heard, once and in order, and nothing was told as missing.
    pub(super) fn has_all(&self, last: u64) {
        assert_eq!(self.heard, (1..=last).collect::<Vec<_>>());
        assert_eq!(self.gaps, 0);
    }
}

/// Publishes numbers by the server API.
pub(super) async fn publish(server: &Server, channel: &str, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        let answer: Value =
            http::api(server.address, "publish", &json!({ "channel": channel, "data": number })).await;
        assert!(answer.get("error").is_none(), "{answer}");
    }
}

/// A client of this address, over a WebSocket.
pub(super) fn client(address: impl std::fmt::Display) -> Client {
    Client::builder(format!("ws://{address}/connection/websocket")).connect().expect("an address")
}

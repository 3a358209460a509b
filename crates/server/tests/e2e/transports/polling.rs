//! What only polling has: batches that are acknowledged, and clients who may stay away for a while.

use serde_json::{Value, json};

use super::carrier::{narrow, opening, poll};
use super::scenes::metric;
use crate::support::http::api;
use crate::support::server::Server;
use crate::support::until::{until, within};

/// A client that polls by hand.
struct Poller<'a> {
    server: &'a Server,
    session: Value,
    node: Value,
}

impl<'a> Poller<'a> {
    /// A client that is subscribed, and the number of the batch that told it so.
    async fn subscribe(server: &'a Server, channel: &str) -> (Self, u64) {
        let subscribe = json!({ "id": 2, "subscribe": { "channel": channel } });
        let frame = format!("{{\"id\":1,\"connect\":{{}}}}\n{subscribe}");
        let mut stream = narrow(server.address).await;
        let first = opening(frame.as_bytes());
        let opened = poll(&mut stream, server.address, &first);
        let (status, batch, mut replies) = within("a session", opened).await;
        assert_eq!((status, batch), (200, 1));
        let connect = replies[0]["connect"].take();
        let poller = Self { server, session: connect["session"].clone(), node: connect["node"].clone() };
        let mut last = 1;
        while !replies.iter().any(|reply| reply["id"] == 2) {
            let (status, batch, more) = poller.ask(last).await;
            assert_eq!(status, 200);
            (last, replies) = (batch, more);
        }
        (poller, last)
    }

    async fn ask(&self, ack: u64) -> (u16, u64, std::collections::VecDeque<Value>) {
        let body = json!({ "session": self.session, "node": self.node, "ack": ack });
        let mut stream = narrow(self.server.address).await;
        within("a poll", poll(&mut stream, self.server.address, &body)).await
    }
}

#[tokio::test]
async fn a_batch_is_repeated_until_it_is_acknowledged_and_then_never() {
    let server = Server::serve(json!({ "poll": { "hold": "1s" } })).await;
    let (poller, last) = Poller::subscribe(&server, "plain:news").await;
    let publish = async |data: u32| {
        api(server.address, "publish", &json!({ "channel": "plain:news", "data": data })).await;
    };
    publish(1).await;
    let first = poller.ask(last).await;
    assert_eq!((first.0, first.1), (200, last + 1));
    assert_eq!(first.2[0]["push"]["pub"]["data"], 1);
    publish(2).await;
    // The answer was lost, say.
    assert_eq!(poller.ask(last).await, first);
    let second = poller.ask(last + 1).await;
    assert_eq!((second.1, &second.2[0]["push"]["pub"]["data"]), (last + 2, &json!(2)));
    assert_eq!(poller.ask(last).await.0, 400, "it said that it has that");
    assert_eq!(poller.ask(last + 3).await.0, 400, "there is no such batch yet");
    assert_eq!(poller.ask(last + 2).await, (200, last + 2, Default::default()), "nothing came in a second");
}

#[tokio::test]
async fn a_newer_request_takes_the_place_of_one_that_is_held() {
    let server = Server::serve(json!({ "poll": { "hold": "60s" } })).await;
    let (poller, last) = Poller::subscribe(&server, "plain:news").await;
    let publish = async || {
        api(server.address, "publish", &json!({ "channel": "plain:news", "data": 1 })).await;
    };
    let answered = "spanwire_http_requests_total{route=\"poll\",status=\"200\"}";
    let before = metric(&server, answered).await;
    // Whichever of the two comes later is held on; the other is answered at once, and with nothing.
    let both = async { tokio::join!(poller.ask(last), poller.ask(last)) };
    let told = async {
        until("the second request to be there", async || {
            (metric(&server, answered).await > before).then_some(())
        })
        .await;
        publish().await;
    };
    let ((one, other), ()) = within("both answers", async { tokio::join!(both, told) }).await;
    let mut counts = [one.2.len(), other.2.len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 1], "{one:?} {other:?}");
}

#[tokio::test]
async fn a_client_that_does_not_come_back_is_gone() {
    let server = Server::serve(json!({ "poll": { "grace": "1s" } })).await;
    let (poller, last) = Poller::subscribe(&server, "plain:news").await;
    until("the session to be over", async || {
        (metric(&server, "spanwire_disconnects_total{code=\"3012\"}").await == 1.0).then_some(())
    })
    .await;
    until("nothing to be left", async || {
        (metric(&server, "spanwire_transport_sessions{transport=\"poll\"}").await == 0.0).then_some(())
    })
    .await;
    assert_eq!(poller.ask(last).await.0, 404);
}

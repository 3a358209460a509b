//! Readers that stop reading in the hottest channel.

use std::convert::Infallible;
use std::ops::Range;
use std::time::Duration;

use serde_json::json;
use spanwire::cli::torture::{Crowd, Order, Plan};

use super::stage::{crowd, figure, nothing_is_left, settle};
use crate::support::http;
use crate::support::server::Server;
use crate::support::until::{PATIENCE, until};

/// Longer than any scene.
pub(super) const FOREVER: Duration = Duration::from_secs(3600);

/// Waits until so many clients have been let go because they did not read.
pub(super) async fn overflowed(server: &Server, count: u64) {
    until(&format!("{count} clients to overflow"), async || {
        let metrics = http::get(server.address, "/metrics").await.body;
        let slow = ["3008", "3009"].map(|code| format!("spanwire_disconnects_total{{code=\"{code}\"}}"));
        let gone: f64 = slow.iter().filter_map(|name| figure(&metrics, name)).sum();
        (gone >= count as f64).then_some(())
    })
    .await;
}

/// How much is published at a time, in messages: much less than an outbox holds, so that only those overflow who do
/// not read, however slow the machine is.
const AT_A_TIME: u64 = 8;

/// Publishes, and goes on when those who read have heard all of it: they wait for nobody else.
async fn talk_as_fast_as_they_hear(crowd: &Crowd, reading: Range<usize>) -> Infallible {
    loop {
        crowd.take_latency();
        (0..AT_A_TIME).for_each(|_| crowd.publish(reading.start, 0));
        let owed = AT_A_TIME * reading.len() as u64;
        crowd
            .awaits("those who read to hear", PATIENCE, |ledger| ledger.latency().count() >= owed)
            .await
            .unwrap_or_else(|objection| panic!("{objection}"));
    }
}

#[tokio::test]
async fn slow_readers_in_the_hottest_channel_lose_their_place_and_nothing_else() {
    let server = Server::serve(json!({ "client": { "queue_max_size": 1 << 20 } })).await;
    let mut plan = Plan::new(20, 1, "market ");
    (plan.payload_bytes, plan.receive_bytes) = (16 << 10, Some(32 << 10));
    let crowd = crowd(server.address, &plan).await;
    let (slow, reading) = (0..8, 8..20);
    slow.clone().for_each(|client| assert!(crowd.order(client, Order::Stall(FOREVER))));
    tokio::select! {
        () = overflowed(&server, slow.len() as u64) => {}
        never = talk_as_fast_as_they_hear(&crowd, reading) => match never {},
    }
    assert_eq!(crowd.tally().disconnects, 0, "the others did not notice");
    slow.for_each(|client| assert!(crowd.order(client, Order::Stall(Duration::ZERO))));
    settle(&crowd).await;
    assert!(crowd.tally().reconnects >= 8);
    crowd.leave().await;
    nothing_is_left(&server).await;
}

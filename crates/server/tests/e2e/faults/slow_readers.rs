//! Readers that stop reading in the hottest channel.

use std::time::Duration;

use serde_json::json;
use spanwire::cli::torture::{Order, Plan};

use super::stage::{crowd, figure, meanwhile, nothing_is_left, settle, talk};
use crate::support::http;
use crate::support::server::Server;
use crate::support::until::until;

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

#[tokio::test]
async fn slow_readers_in_the_hottest_channel_lose_their_place_and_nothing_else() {
    // Room for more than half a second, so that on a busy machine only those overflow who do not read.
    let server = Server::serve(json!({ "client": { "queue_max_size": 1 << 20 } })).await;
    let mut plan = Plan::new(20, 1, "market ");
    (plan.payload_bytes, plan.receive_bytes) = (16 << 10, Some(32 << 10));
    let crowd = crowd(server.address, &plan).await;
    let quiet = meanwhile(&crowd, talk(100.0), async {
        crowd.take_latency();
        crowd.until(FOREVER, |ledger| ledger.latency().count() >= 1000).await;
        crowd.take_latency().percentile(0.99).expect("a thousand")
    })
    .await;
    let slow = 0..8;
    slow.clone().for_each(|client| assert!(crowd.order(client, Order::Stall(FOREVER))));
    crowd.take_latency();
    meanwhile(&crowd, talk(100.0), overflowed(&server, 8)).await;
    let beside = crowd.take_latency().percentile(0.99).expect("many");
    assert!(
        beside <= 20 * quiet + Duration::from_millis(100),
        "p99 was {quiet:?}, and {beside:?} beside slow readers"
    );
    assert_eq!(crowd.tally().disconnects, 0, "the others did not notice");
    slow.for_each(|client| assert!(crowd.order(client, Order::Stall(Duration::ZERO))));
    settle(&crowd).await;
    assert!(crowd.tally().reconnects >= 8);
    crowd.leave().await;
    nothing_is_left(&server).await;
}

//! Thousands lose their connections at once, and come back.

use std::time::{Duration, Instant};

use serde_json::json;
use spanwire::cli::torture::{Order, Plan};

use super::stage::{arrived, coming, crowd, meanwhile, nothing_is_left, settle, talk};
use tokio::runtime::Builder;

use crate::support::descriptors;
use crate::support::server::Server;
use crate::support::until::PATIENCE;

/// How many come back at once.
const MANY: usize = 2000;

#[tokio::test]
async fn two_thousand_come_back_at_once_and_those_who_stayed_hear_on() {
    descriptors::raise();
    let server = Server::serve(json!({ "channel": { "without_namespace": { "history_size": 1000 } } })).await;
    let mut plan = Plan::new(MANY, 100, "herd ");
    plan.channels_per_client = 1;
    // In a thread of its own, so that what it costs to be many is not taken for the server's delay.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let many = {
        let _there = elsewhere.enter();
        coming(server.address, &plan)
    };
    arrived(&many).await;
    let stayed = crowd(server.address, &Plan::new(20, 2, "inside ")).await;
    let p99 = || stayed.take_latency().percentile(0.99).expect("somebody heard something");
    let quiet = meanwhile(&stayed, talk(50.0), async {
        stayed.take_latency();
        stayed.until(PATIENCE, |ledger| ledger.latency().count() >= 1000).await;
        p99()
    })
    .await;
    let cut = Instant::now();
    (0..MANY).for_each(|client| assert!(many.order(client, Order::Reset)));
    // On a machine that is busy with something else as well, some are late and have to come once more.
    let all_back = many.until(4 * PATIENCE, |ledger| ledger.tally().reconnects >= MANY as u64);
    let herd = meanwhile(&many, talk(50.0), all_back);
    assert!(meanwhile(&stayed, talk(50.0), herd).await, "not all came back: {:?}", many.tally());
    let (took, beside) = (cut.elapsed(), p99());
    println!("{MANY} back in {took:?}; p99 inside {quiet:?} before and {beside:?} meanwhile");
    settle(&many).await;
    settle(&stayed).await;
    assert_eq!((many.tally().gaps, stayed.tally().gaps), (0, 0));
    assert_eq!(stayed.tally().disconnects, 0);
    assert!(beside <= 50 * quiet + Duration::from_millis(200), "p99 was {quiet:?}, and {beside:?} meanwhile");
    many.leave().await;
    stayed.leave().await;
    elsewhere.shutdown_background();
    nothing_is_left(&server).await;
}

//! A crowd comes at once, and the backend that is to let it in is slow.

use std::time::{Duration, Instant};

use serde_json::json;
use spanwire::cli::torture::Plan;
use tokio::runtime::Builder;

use crate::faults::stage::{arrived, coming, crowd, figure, meanwhile, nothing_is_left, settle, talk};
use crate::support::backend::Backend;
use crate::support::descriptors;
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::token::signed;
use crate::support::until::{PATIENCE, until};

/// How many come at once.
const MANY: usize = 800;
/// How many the backend is asked about at a time.
const AT_A_TIME: usize = 20;
const QUICK: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_secs(2);

async fn limit(server: &Server) -> f64 {
    let metrics = get(server.address, "/metrics").await.body;
    figure(&metrics, "spanwire_proxy_limit{proxy=\"connect\"}").expect("the proxy is there")
}

#[tokio::test]
async fn a_crowd_is_let_in_as_fast_as_a_slow_backend_can_and_those_inside_notice_little() {
    descriptors::raise();
    // In a thread of its own, as a backend is, and what it costs to be many.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let there =
        |asked: &crate::support::backend::Asked| (200, json!({ "result": { "user": asked.body["client"] } }));
    let backend = elsewhere.spawn(Backend::start(there)).await.expect("it starts");
    backend.takes(QUICK);
    let mut connect = backend.proxy("/connect");
    connect["enabled"] = true.into();
    connect["max_in_flight"] = AT_A_TIME.into();
    let server = Server::serve(json!({
        "client": { "proxy": { "connect": connect } },
        "channel": { "without_namespace": { "history_size": 1000 } },
    }))
    .await;
    let token = signed(json!({ "sub": "inside" }));
    let inside = crowd(server.address, &Plan::new(20, 2, "inside ").token(&token)).await;
    let p99 = || inside.take_latency().percentile(0.99).expect("somebody heard something");
    let quiet = meanwhile(&inside, talk(50.0), async {
        inside.take_latency();
        inside.until(PATIENCE, |ledger| ledger.latency().count() >= 1000).await;
        p99()
    })
    .await;
    let begun = Instant::now();
    let mut plan = Plan::new(MANY, 100, "herd ");
    plan.channels_per_client = 1;
    let herd = {
        let _there = elsewhere.enter();
        coming(server.address, &plan)
    };
    let story = async {
        backend.has_answered(MANY / 5).await;
        backend.takes(SLOW);
        let lowest = until("the rate to adapt", async || {
            let limit = limit(&server).await;
            (limit <= 0.7 * AT_A_TIME as f64).then_some(limit)
        })
        .await;
        backend.takes(QUICK);
        herd.until(3 * PATIENCE, |ledger| ledger.tally().connects >= MANY as u64).await;
        lowest
    };
    let lowest = meanwhile(&inside, talk(50.0), story).await;
    let (took, beside) = (begun.elapsed(), p99());
    println!(
        "{MANY} let in after {took:?}, at most {} at a time and {lowest} while it was slow; \
         p99 inside {quiet:?} before and {beside:?} meanwhile; {} came in vain",
        backend.in_flight_most(),
        herd.tally().disconnects
    );
    assert!(herd.tally().connects >= MANY as u64, "not all came in: {:?}", herd.tally());
    assert!(backend.in_flight_most() <= AT_A_TIME, "{}", backend.in_flight_most());
    assert!(beside <= 50 * quiet + Duration::from_millis(500), "p99 was {quiet:?}, and {beside:?} meanwhile");
    arrived(&herd).await;
    settle(&inside).await;
    assert_eq!(inside.tally().disconnects, 0);
    herd.leave().await;
    inside.leave().await;
    nothing_is_left(&server).await;
    drop(backend);
    elsewhere.shutdown_background();
}

#[tokio::test]
async fn who_is_sent_away_is_told_when_to_come_back_if_it_speaks_our_extensions() {
    let backend = Backend::start(|_| (200, json!({ "result": { "user": "ann" } }))).await;
    backend.takes(SLOW);
    let mut connect = backend.proxy("/connect");
    connect["enabled"] = true.into();
    connect["max_in_flight"] = 1.into();
    connect["max_waiting"] = 0.into();
    let server = Server::serve(json!({ "client": { "proxy": { "connect": connect } } })).await;
    let mut first = Peer::open(server.address).await;
    first.text(r#"{"id":1,"connect":{}}"#).await;
    until("the backend to be asked", async || (backend.in_flight_most() == 1).then_some(())).await;
    for (headers, is_told) in [(json!({ "spanwire": "1" }), true), (json!({}), false)] {
        let mut ann = Peer::open(server.address).await;
        let reply = ann.reply("connect", json!({ "headers": headers })).await;
        assert_eq!(
            (&reply["error"]["code"], &reply["error"]["temporary"]),
            (&json!(111), &json!(true)),
            "{reply}"
        );
        assert_eq!(reply["error"]["sw_retry_after"].as_u64().is_some_and(|ms| ms >= 200), is_told, "{reply}");
    }
    assert!(first.replies(1).await[0]["connect"]["client"].is_string());
    assert_eq!((backend.answered(), backend.in_flight_most()), (1, 1));
}

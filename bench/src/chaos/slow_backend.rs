//! Thousands come at once, and the backend that is to let them in is slow.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use spanwire::cli::torture::Plan;
use tokio::runtime::Builder;

use super::backend::Backend;
use super::metrics;
use super::stage::{self, PATIENCE, Stage, talk, told};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "5,000 come at once; the backend takes 50 ms, 20 at a time, then 2 s, then 50 ms again",
    "all come in; the backend is never asked more at a time; those inside hear on",
);

const MANY: usize = 5_000;
const AT_A_TIME: usize = 20;
const QUICK: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_secs(2);
/// How many slow answers it gives before it recovers.
const SLOW_ANSWERS: usize = 60;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let (backend, at) = Backend::start()?;
    backend.takes(QUICK);
    let server = stage.server(Setting::with(|setting| {
        setting.config["client"]["proxy"]["connect"] = json!({
            "enabled": true, "endpoint": format!("http://{at}/connect"), "timeout": "5s",
            "max_in_flight": AT_A_TIME,
        });
    }))?;
    let inside = stage.crowd(&server, &Plan::new(100, 10, "inside ")).await?;
    // Some of those inside were sent away once themselves, before they came in.
    let sent_away = inside.tally().disconnects;
    inside.take_latency();
    inside.during(talk(100.0), inside.acknowledged(1_000, PATIENCE)).await?;
    let quiet = told(&inside.take_latency());
    stage.say(&format!("inside, before: {quiet}"));
    let mut plan = Plan::new(MANY, 400, "herd ");
    plan.channels_per_client = 1;
    // In a thread of its own, so that what it costs to be many is not taken for the server's delay.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let elsewhere = elsewhere.context("cannot start the herd's runtime")?;
    let came = Instant::now();
    let herd = {
        let _there = elsewhere.enter();
        stage::coming(&server, &plan)?
    };
    let story = async {
        stage::until("a thousand to be let in", || (backend.answered() >= 1_000).then_some(())).await?;
        stage.say("the backend takes 2 s");
        backend.takes(SLOW);
        let slow_from = backend.answered();
        let mut lowest = AT_A_TIME as f64;
        stage::until("slow answers", || {
            let samples = metrics::read(server.address()).ok()?;
            lowest = lowest.min(metrics::figure(&samples, "spanwire_proxy_limit{proxy=\"connect\"}")?);
            (backend.answered() >= slow_from + SLOW_ANSWERS).then_some(())
        })
        .await?;
        stage.say(&format!("the backend takes 50 ms again; it was asked {lowest} at a time"));
        backend.takes(QUICK);
        let all = |ledger: &spanwire::cli::torture::Ledger| ledger.tally().connects >= MANY as u64;
        herd.awaits("everybody to come in", PATIENCE, all).await?;
        anyhow::Ok(lowest)
    };
    let lowest = inside.during(talk(100.0), story).await?;
    let took = came.elapsed();
    let beside = told(&inside.take_latency());
    let vain = herd.tally().disconnects;
    herd.vouch(PATIENCE).await?;
    herd.leave().await;
    let tally = stage.close(&server, inside).await?;
    elsewhere.shutdown_background();
    ensure!(backend.most() <= AT_A_TIME, "the backend was asked {} at a time", backend.most());
    ensure!(lowest < AT_A_TIME as f64, "the rate did not adapt");
    ensure!(tally.disconnects == sent_away, "those inside lost their connections: {tally:?}");
    Ok(format!(
        "all in after {:.1} s, {vain} came in vain, {lowest} at a time while it was slow; \
         inside before: {quiet}; meanwhile: {beside}",
        took.as_secs_f64()
    ))
}

//! Thousands lose their connections at once, and come back.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use spanwire::cli::torture::{Order, Plan};
use tokio::runtime::Builder;

use super::stage::{self, PATIENCE, Stage, talk, told};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "8,000 of 8,100 lose their connections at once, under load",
    "all come back and have everything; those who stayed hear on",
);

const MANY: usize = 8_000;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Setting::with(|setting| {
        setting.config["client"]["ping_interval"] = json!("25s");
    }))?;
    let mut plan = Plan::new(MANY, 400, "herd ");
    plan.channels_per_client = 1;
    // In a thread of its own, so that what it costs to be many is not taken for the server's delay.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let elsewhere = elsewhere.context("cannot start the herd's runtime")?;
    let herd = {
        let _there = elsewhere.enter();
        stage::coming(&server, &plan)?
    };
    herd.arrived(PATIENCE).await?;
    stage.say(&format!("{MANY} are there"));
    let stayed = stage.crowd(&server, &Plan::new(100, 10, "inside ")).await?;
    stayed.take_latency();
    stayed.during(talk(100.0), stayed.acknowledged(1_000, PATIENCE)).await?;
    let quiet = told(&stayed.take_latency());
    stage.say(&format!("inside, before: {quiet}"));
    let cut = Instant::now();
    stage::order(&herd, 0..MANY, &Order::Reset)?;
    let back = |ledger: &spanwire::cli::torture::Ledger| ledger.tally().reconnects >= MANY as u64;
    let return_of_all = herd.during(talk(100.0), herd.awaits("everybody to come back", PATIENCE, back));
    stayed.during(talk(100.0), return_of_all).await?;
    let took = cut.elapsed();
    let beside = told(&stayed.take_latency());
    let herds = herd.vouch(PATIENCE).await?;
    herd.leave().await;
    let tally = stage.close(&server, stayed).await?;
    elsewhere.shutdown_background();
    ensure!(herds.gaps + tally.gaps == 0, "gaps were told, and the history was there all the time");
    ensure!(tally.disconnects == 0, "those who stayed lost their connections: {tally:?}");
    Ok(format!("all back after {:.1} s; inside before: {quiet}; meanwhile: {beside}", took.as_secs_f64()))
}

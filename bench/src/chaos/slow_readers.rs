//! Readers that stop reading in the hottest channel.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use spanwire::cli::torture::{Crowd, Ledger, Order, Plan};

use super::metrics;
use super::stage::{FOREVER, PATIENCE, Stage, order, talk, told, until};
use super::victim::{Setting, Victim};

pub(super) const PROMISE: (&str, &str) = (
    "40 of 80 readers of one channel of 16 KiB messages stop reading",
    "they are let go and recover later; the others have everything and no connection of theirs ends",
);

const SLOW: usize = 40;
const READING: usize = 40;
const PER_SECOND: f64 = 120.0;
/// How much is published at a time beside those who do not read, in messages: a small part of what an outbox holds,
/// so that only those overflow who do not read, however slow the machine is.
const AT_A_TIME: u64 = 16;
/// How much is published when all who do not read are gone, in times.
const AFTERWARDS: usize = 50;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    // Room for a second and a half: who reads, though late, stays.
    let server = stage.server(Setting::with(|setting| {
        setting.config["client"]["queue_max_size"] = json!(3 << 20);
    }))?;
    let mut plan = Plan::new(SLOW + READING, 1, "market ");
    (plan.payload_bytes, plan.receive_bytes) = (16 << 10, Some(32 << 10));
    let crowd = stage.crowd(&server, &plan).await?;
    crowd.take_latency();
    crowd.during(talk(PER_SECOND), crowd.acknowledged(1_000, PATIENCE)).await?;
    let quiet = crowd.take_latency();
    stage.say(&format!("everybody reads: {}", told(&quiet)));
    order(&crowd, 0..SLOW, &Order::Stall(FOREVER))?;
    tokio::select! {
        outcome = overflowed(&server, SLOW as u64) => outcome?,
        outcome = in_step(&crowd, usize::MAX) => outcome?,
    }
    stage.say(&format!("{SLOW} were let go"));
    in_step(&crowd, AFTERWARDS).await?;
    crowd.take_latency();
    crowd.during(talk(PER_SECOND), crowd.acknowledged(1_000, PATIENCE)).await?;
    let beside = told(&crowd.take_latency());
    // Who does not read does not notice that the connection has ended.
    ensure!(crowd.tally().disconnects == 0, "others were let go, too: {:?}", crowd.tally());
    order(&crowd, 0..SLOW, &Order::Stall(Duration::ZERO))?;
    let tally = stage.close(&server, crowd).await?;
    ensure!(tally.reconnects >= SLOW as u64, "only {} came back", tally.reconnects);
    Ok(format!("before: {}; beside slow readers: {beside}", told(&quiet)))
}

/// Publishes, and goes on when those who read have heard all of it: they wait for nobody else.
async fn in_step(crowd: &Crowd, times: usize) -> Result<()> {
    for _ in 0..times {
        crowd.take_latency();
        (0..AT_A_TIME).for_each(|_| crowd.publish(SLOW, 0));
        let owed = AT_A_TIME * READING as u64;
        let heard = |ledger: &Ledger| ledger.latency().count() >= owed;
        crowd.awaits("those who read to hear", PATIENCE, heard).await?;
    }
    Ok(())
}

/// Waits until so many clients have been let go because they did not read.
pub(super) async fn overflowed(server: &Victim, count: u64) -> Result<()> {
    until(&format!("{count} clients to overflow"), || {
        let samples = metrics::read(server.address()).ok()?;
        let slow = ["3008", "3009"].map(|code| format!("spanwire_disconnects_total{{code=\"{code}\"}}"));
        let gone: f64 = slow.iter().filter_map(|name| metrics::figure(&samples, name)).sum();
        (gone >= count as f64).then_some(())
    })
    .await
}

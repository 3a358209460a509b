//! A limit of memory, and readers that never read.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use spanwire::cli::torture::{Order, Plan};

use super::slow_readers::overflowed;
use super::stage::{FOREVER, PATIENCE, Stage, order, talk};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "address space for 32 MiB more than at rest, and 60 of 80 readers that never read",
    "the server outlives it, and everybody is told or has everything",
);

/// Readers that never read, and those that do.
const SLOW: usize = 60;
const READING: usize = 20;
/// What the server may take beyond what it has reserved at rest.
const ROOM_BYTES: u64 = 32 << 20;
/// Bytes of a publication. All that are published are many times the room.
const PAYLOAD_BYTES: usize = 16 << 10;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let small = |setting: &mut Setting| {
        setting.config["client"]["queue_max_size"] = json!(128 << 10);
        setting.config["engine"]["shards"] = json!(1);
        setting.config["channel"]["without_namespace"]["history_size"] = json!(100);
    };
    let reserved = crate::procfs::reserved_bytes(stage.server(Setting::with(small))?.process().pid())?;
    let server = stage.server(Setting::with(|setting| {
        small(setting);
        setting.limits = format!("ulimit -v {}", (reserved + ROOM_BYTES) >> 10);
    }))?;
    let mut plan = Plan::new(SLOW + READING, 1, "hunger ");
    (plan.payload_bytes, plan.receive_bytes) = (PAYLOAD_BYTES, Some(32 << 10));
    let crowd = stage.crowd(&server, &plan).await?;
    order(&crowd, 0..SLOW, &Order::Stall(FOREVER))?;
    crowd
        .during(talk(200.0), async {
            overflowed(&server, SLOW as u64).await?;
            stage.say(&format!("{SLOW} were let go"));
            Ok::<_, anyhow::Error>(crowd.acknowledged(2_000, PATIENCE).await?)
        })
        .await
        .context("with readers that do not read")?;
    order(&crowd, 0..SLOW, &Order::Stall(Duration::ZERO))?;
    let tally = stage.close(&server, crowd).await?;
    let published = (tally.acknowledged * PAYLOAD_BYTES as u64) >> 20;
    Ok(format!("{published} MiB were published, {} gaps told, 0 lost in silence, 0 twice", tally.gaps))
}

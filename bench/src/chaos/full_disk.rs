//! Nowhere to write the log.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use spanwire::cli::torture::{Plan, Storm};

use super::stage::Stage;
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) =
    ("a full disk under a log that says everything, and 40 accidents a second", "nobody notices");

const STORM: Duration = Duration::from_secs(20);

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Setting::with(|setting| {
        setting.config["log"]["level"] = json!("trace");
        setting.stderr = Some("/dev/full");
    }))?;
    let crowd = stage.crowd(&server, &Plan::new(200, 20, "disk ")).await?;
    crowd.during(Storm::new(3, 200.0, 40.0), tokio::time::sleep(STORM)).await;
    let tally = stage.close(&server, crowd).await?;
    Ok(format!("{} connections cut, {} delivered, 0 lost, 0 twice", tally.disconnects, tally.delivered))
}

//! SIGKILL under load, again and again, and a new process that remembers nothing.

use anyhow::Result;
use spanwire::cli::torture::Plan;

use super::stage::{PATIENCE, Stage, talk};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "SIGKILL under load five times, and a new process each time",
    "every subscriber is told of each gap, and hears on",
);

const CRASHES: u64 = 5;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let mut server = stage.server(Setting::default())?;
    let plan = Plan::new(300, 30, "crash ");
    let subscribers = (plan.clients * plan.channels_per_client) as u64;
    let crowd = stage.crowd(&server, &plan).await?;
    crowd
        .during(talk(300.0), async {
            for crash in 1..=CRASHES {
                crowd.acknowledged(300, PATIENCE).await?;
                server.crash()?;
                let all = |told| told >= crash * subscribers;
                crowd.awaits("everybody to be told", PATIENCE, |ledger| all(ledger.tally().gaps)).await?;
                stage.say(&format!("crash {crash}: {subscribers} subscribers were told of a gap"));
            }
            Ok::<_, anyhow::Error>(crowd.acknowledged(300, PATIENCE).await?)
        })
        .await?;
    let tally = stage.close(&server, crowd).await?;
    Ok(format!("{} gaps told, {} delivered, 0 lost in silence, 0 twice", tally.gaps, tally.delivered))
}

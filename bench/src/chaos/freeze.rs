//! A process that is stopped and goes on later, as in a debugger, a snapshot or an overcommitted machine.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use spanwire::cli::torture::Plan;

use super::stage::{PATIENCE, Stage, talk};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) =
    ("SIGSTOP for 10 s under load, then SIGCONT", "everybody gave up, everybody is back, and no gap is told");

const FROZEN: Duration = Duration::from_secs(10);

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Setting::with(|setting| {
        setting.config["client"]["ping_interval"] = json!("2s");
        setting.config["client"]["pong_timeout"] = json!("1s");
    }))?;
    let mut plan = Plan::new(300, 30, "frost ");
    // Half a second after a ping is due the server is given up, and a new connection after one second.
    plan.client.limits.ping_margin = Duration::from_millis(500);
    plan.client.limits.connect_within = Duration::from_secs(1);
    let crowd = stage.crowd(&server, &plan).await?;
    crowd
        .during(talk(200.0), async {
            crowd.acknowledged(200, PATIENCE).await?;
            server.process().signal(Signal::STOP)?;
            tokio::time::sleep(FROZEN).await;
            let gave_up = crowd.tally().disconnects;
            server.process().signal(Signal::CONT)?;
            stage.say(&format!("connections were given up {gave_up} times"));
            ensure!(gave_up >= crowd.clients() as u64, "only {gave_up} noticed");
            Ok(crowd.acknowledged(200, PATIENCE).await?)
        })
        .await?;
    let tally = stage.close(&server, crowd).await?;
    ensure!(tally.gaps == 0, "{} gaps were told, and the history was there all the time", tally.gaps);
    ensure!(tally.recovered > 0, "nothing was recovered");
    Ok(format!("{} came back, {} recovered, no gap, 0 lost, 0 twice", tally.reconnects, tally.recovered))
}

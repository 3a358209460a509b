//! No descriptor is left for the next connection.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use spanwire::cli::torture::Plan;

use super::stage::{self, PATIENCE, Stage, talk, told};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "not one descriptor more, and 500 who knock",
    "those inside are served, the server does not spin, and the others are let in when there is room",
);

/// Connections that the kernel accepts for the server, and the server cannot.
const KNOCKING: usize = 500;
/// How long that goes on.
const WATCH: Duration = Duration::from_secs(10);
/// Most of a core that the server may use meanwhile; one that spins takes all of it.
const SHARE_MAX: f64 = 0.5;

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Setting::default())?;
    let inside = stage.crowd(&server, &Plan::new(100, 10, "inside ")).await?;
    let before = server.allow_descriptors(server.descriptors()?)?;
    let knock = |_| TcpStream::connect(server.address()).context("the kernel does not accept for the server");
    let knocking: Vec<TcpStream> = (0..KNOCKING).map(knock).collect::<Result<_>>()?;
    let newcomers = stage::coming(&server, &Plan::new(200, 10, "outside "))?;
    inside.take_latency();
    let busy = inside
        .during(talk(100.0), async {
            let cpu = server.process().cpu_time()?;
            tokio::time::sleep(WATCH).await;
            Ok::<_, anyhow::Error>((server.process().cpu_time()? - cpu).as_secs_f64() / WATCH.as_secs_f64())
        })
        .await?;
    let latency = told(&inside.take_latency());
    stage.say(&format!("the server used {:.0} % of a core", busy * 100.0));
    ensure!(busy <= SHARE_MAX, "the server spins: {:.0} % of a core", busy * 100.0);
    ensure!(newcomers.tally().connects == 0, "somebody came in without a descriptor");
    ensure!(inside.tally().disconnects == 0, "those inside were disturbed: {:?}", inside.tally());
    drop(knocking);
    server.allow_descriptors(before)?;
    newcomers.arrived(PATIENCE).await?;
    newcomers.leave().await;
    let tally = stage.close(&server, inside).await?;
    Ok(format!("{} delivered inside meanwhile ({latency}), then 200 came in", tally.delivered))
}

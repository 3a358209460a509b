//! What the scenes share: a voice, crowds, and the look at the end.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use spanwire::Chance;
use spanwire::cli::torture::{Crowd, Latency, Order, Plan, Storm, Tally, Target};

use super::metrics;
use super::victim::{Setting, Victim};
use crate::spanwire::Spanwire;

/// Longest that anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Longer than any scene.
pub(super) const FOREVER: Duration = Duration::from_secs(3600);

/// How often a state is looked at that cannot announce itself.
const GLANCE: Duration = Duration::from_millis(50);

/// Where a scene plays.
pub(super) struct Stage<'a> {
    name: &'a str,
    spanwire: &'a Spanwire,
    began: Instant,
}

impl<'a> Stage<'a> {
    pub(super) fn new(name: &'a str, spanwire: &'a Spanwire) -> Stage<'a> {
        Stage { name, spanwire, began: Instant::now() }
    }

    pub(super) fn spanwire(&self) -> &Spanwire {
        self.spanwire
    }

    /// Tells how it goes.
    pub(super) fn say(&self, line: &str) {
        eprintln!("bench: {:>5.1} s  {}: {line}", self.began.elapsed().as_secs_f64(), self.name);
    }

    /// Starts a server that keeps history, and lets anybody do anything.
    pub(super) fn server(&self, setting: Setting) -> Result<Victim> {
        Victim::start(self.spanwire, setting)
    }

    /// Starts a crowd, and waits until each of its clients has heard a first word in each of its channels.
    pub(super) async fn crowd(&self, server: &Victim, plan: &Plan) -> Result<Crowd> {
        let crowd = coming(server, plan)?;
        crowd.arrived(PATIENCE).await?;
        self.say(&format!("{} clients in {} channels are there", plan.clients, plan.channels));
        Ok(crowd)
    }

    /// The end of a scene: everybody has everything and leaves, and nothing is left of them.
    pub(super) async fn close(&self, server: &Victim, crowd: Crowd) -> Result<Tally> {
        let tally = crowd.vouch(PATIENCE).await?;
        crowd.leave().await;
        nothing_is_left(server.address()).await?;
        Ok(tally)
    }
}

/// Waits until the server counts nobody and nothing any more.
pub(crate) async fn nothing_is_left(address: SocketAddr) -> Result<()> {
    let gauges = ["sessions", "clients", "subscriptions", "channels", "connections"];
    until("every counter to return to zero", || {
        let figures = metrics::read(address).ok()?;
        let zero = |gauge| metrics::figure(&figures, &format!("spanwire_{gauge}")) == Some(0.0);
        gauges.into_iter().all(zero).then_some(())
    })
    .await
}

/// Starts a crowd in the runtime that this is called in.
pub(super) fn coming(server: &Victim, plan: &Plan) -> Result<Crowd> {
    let mut chance =
        Chance::from_system().map_err(|error| anyhow!("the system has no chance to give: {error}"))?;
    Ok(Crowd::start(&Target::at(server.address()), plan, &mut chance))
}

/// Tells these clients what to do.
pub(super) fn order(crowd: &Crowd, clients: Range<usize>, order: &Order) -> Result<()> {
    let mut clients = clients;
    let taken = clients.all(|client| crowd.order(client, order.clone()));
    ensure!(taken, "a client has too much to do to be told: {order:?}");
    Ok(())
}

/// So many publications a second, and no accidents but those that the scene brings.
pub(super) fn talk(per_second: f64) -> Storm {
    Storm::new(1, per_second, 0.0)
}

/// Looks at a state until it gives an answer.
pub(super) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = look() {
            return Ok(answer);
        }
        ensure!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// Latencies, as a person reads them.
pub(super) fn told(latency: &Latency) -> String {
    let at = |share| latency.percentile(share).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3);
    format!("p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms", at(0.5), at(0.99), at(0.999))
}

//! One run of the command: a crowd, a storm, a calm, and a report.

use std::io::{self, Write as _};
use std::time::Duration;

use super::crowd::{Crowd, Unsettled};
use super::ledger::{Ledger, Refusal, Tally};
use super::line::Target;
use super::options::Options;
use super::plan::{CALM_PATIENCE, Plan};
use super::publisher::{Backend, Publisher};
use super::report::{Report, progress};
use super::storm::Storm;
use crate::chance::Chance;
use crate::cli::trust::Trust;
use crate::cli::url::Server;
use crate::cli::{Exit, Failure};
use crate::config::Secret;

/// How often a client has an accident, on average.
const ACCIDENT_INTERVAL: Duration = Duration::from_secs(5);

/// One run of the command.
pub(super) struct Run {
    plan: Plan,
    publisher: Publisher,
    seed: u64,
    storm_for: Duration,
    rate: u32,
    place: String,
    is_quiet: bool,
}

impl Run {
    pub(super) fn new(options: &Options, server: Server, trust: Trust, chance: &mut Chance) -> Self {
        // A name that nobody else uses, this command at another time included.
        let name = chance.text();
        let namespace = options.namespace.as_ref().map(|name| format!("{name}:")).unwrap_or_default();
        let prefix = format!("{namespace}torture-{}-", &name[..8]);
        let place = server.authority();
        let mut plan = Plan::new(options.clients as usize, options.channels as usize, &prefix);
        if let Some(token) = &options.token {
            plan = plan.token(token);
        }
        let publisher = match &options.key {
            None => Publisher::Clients,
            Some(key) => Publisher::Backend(Backend::new(
                server,
                trust,
                Secret::new(key.as_str()),
                name,
                plan.payload_bytes,
            )),
        };
        let seed = options
            .seed
            .unwrap_or_else(|| u64::from_le_bytes(chance.seed()[..8].try_into().unwrap_or([0; 8])));
        let storm_for = Duration::from_secs(options.seconds);
        Self { plan, publisher, seed, storm_for, rate: options.rate, place, is_quiet: options.json }
    }

    pub(super) async fn torture(&self, target: &Target, chance: &mut Chance) -> Result<Report, Failure> {
        let Plan { clients, channels, .. } = self.plan;
        self.talk(&format!(
            "{}: {clients} clients in {channels} channels publish {} a second for {} s, and each has an accident \
             every {} s; then at most {} s of calm. --seed {}",
            self.place,
            self.rate,
            self.storm_for.as_secs(),
            ACCIDENT_INTERVAL.as_secs(),
            CALM_PATIENCE.as_secs(),
            self.seed
        ));
        let crowd = Crowd::start(target, &self.plan, chance);
        let is_in = |ledger: &Ledger| ledger.refusal().is_some() || ledger.tally().connects >= clients as u64;
        crowd.until(CALM_PATIENCE, is_in).await;
        self.refused(&crowd)?;
        let accidents = clients as f64 / ACCIDENT_INTERVAL.as_secs_f64();
        let mut storm = Storm::new(self.seed, self.rate.into(), accidents);
        tokio::select! {
            never = storm.rage(&crowd, &self.publisher) => match never {},
            () = self.watch(&crowd) => {}
        }
        self.refused(&crowd)?;
        self.talk("calm: everybody comes back and hears the last word");
        let settled = crowd.settle(&self.publisher, CALM_PATIENCE).await;
        self.refused(&crowd)?;
        settled.map_err(|error| self.unsettled(error, &crowd.tally()))?;
        let report = Report::new(self.seed, &crowd.ledger());
        crowd.leave().await;
        Ok(report)
    }

    /// Tells how it goes, each second, until the storm is over, or there is nothing to be seen.
    async fn watch(&self, crowd: &Crowd) {
        for second in 1..=self.storm_for.as_secs() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.talk(&progress(Duration::from_secs(second), &crowd.tally()));
            if crowd.ledger().refusal().is_some() {
                return;
            }
        }
    }

    fn refused(&self, crowd: &Crowd) -> Result<(), Failure> {
        let Some(refusal) = crowd.ledger().refusal().cloned() else { return Ok(()) };
        let denied = |trouble| Failure::new(Exit::Denied, trouble);
        Err(match refusal {
            Refusal::Connect(code, reason) => {
                denied(format!("the server does not let clients in: {reason} ({code})"))
                    .fix("pass a connection token with --token, or set SPANWIRE_TOKEN")
            }
            Refusal::Subscribe(channel, code, reason) => {
                denied(format!("the server does not let clients into {channel}: {reason} ({code})"))
                    .fix("name a namespace that clients may subscribe to with --namespace")
            }
            Refusal::NoPositions(channel) => {
                denied(format!("{channel} has no positions, and the promise is about channels with recovery"))
                    .fix(
                        "name a namespace with history_size, history_ttl and force_recovery with --namespace",
                    )
            }
        })
    }

    fn unsettled(&self, error: Unsettled, tally: &Tally) -> Failure {
        if tally.refused > 0 && tally.acknowledged == 0 {
            return match self.publisher {
                Publisher::Clients => Failure::new(Exit::Denied, "the server does not let clients publish")
                    .fix("publish by the server API with --key, or name another --namespace"),
                Publisher::Backend(_) => Failure::new(Exit::Denied, "the server API does not let us publish")
                    .fix("compare --key with http_api.key of the server"),
            };
        }
        Failure::new(Exit::Unavailable, format!("{error}: nothing can be said"))
    }

    /// Says something to the person, if there is one.
    pub(super) fn talk(&self, line: &str) {
        if !self.is_quiet {
            // If nobody listens, nothing is lost.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

//! `spanwire torture`: a crowd that keeps accounts, for anyone who wants to see whether a server keeps its promise.
//!
//! Many clients subscribe, publish numbered messages, and lose their connections in every way there is. A [`Ledger`]
//! holds what the server says to each of them against what it said to the others: every acknowledged publication
//! reaches each subscriber once and in order, or the subscriber is told of a gap.
//!
//! [`Crowd`], [`Storm`] and [`Ledger`] are for tests as well, which do to the server what no client can.

mod books;
mod crowd;
mod latency;
mod ledger;
mod line;
mod member;
mod options;
mod order;
mod plan;
mod publisher;
mod report;
mod storm;

use std::io::Write as _;
use std::time::Duration;

pub use self::crowd::{Crowd, Unsettled};
pub use self::latency::Latency;
pub use self::ledger::{Ledger, Number, Refusal, Sin, Tally, Violation};
pub use self::line::Target;
pub(super) use self::options::Options;
pub use self::order::Order;
pub use self::plan::{CALM_PATIENCE, CHANNELS_MAX, CLIENTS_MAX, Plan, RATE_MAX, SECONDS_MAX};
pub use self::publisher::{Backend, Publisher};
use self::report::{Report, progress};
pub use self::storm::Storm;
use super::connect::connect;
use super::url::Server;
use super::{Exit, Failure, exit};
use crate::chance::Chance;
use crate::config::Secret;
use crate::descriptors;

/// How often a client has an accident, on average.
const ACCIDENT_INTERVAL: Duration = Duration::from_secs(5);

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let server = Server::parse(&options.url)?;
    allowed(&server, options)?;
    let clients = options.clients as usize;
    if descriptors::raise() < clients + DESCRIPTORS_SPARE {
        let trouble = format!("{clients} clients need more descriptors than the system allows");
        return Err(
            Failure::new(Exit::Failed, trouble).fix("raise ulimit -n, or torture with fewer --clients")
        );
    }
    let target = target(&server)?;
    let run = Run::new(options, server, &mut chance);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let report = runtime.block_on(run.torture(&target, &mut chance))?;
    exit::print(&if options.json { report.json() } else { report.to_string() })?;
    match report.violation() {
        None => {
            run.talk("\nthe promise held");
            Ok(())
        }
        Some(violation) => Err(Failure::new(Exit::Failed, format!("the promise is broken\n\n{violation}"))),
    }
}

/// Descriptors for everything but clients.
const DESCRIPTORS_SPARE: usize = 64;

/// What it does to a server is nothing to do to somebody else's.
fn allowed(server: &Server, options: &Options) -> Result<(), Failure> {
    if server.is_local() || options.i_own_this_server {
        return Ok(());
    }
    let trouble = format!("{} is not this machine, and torture is load", server.host);
    Err(Failure::new(Exit::Usage, trouble).fix("if the server is yours, add --i-own-this-server"))
}

fn target(server: &Server) -> Result<Target, Failure> {
    let gone = |error: std::io::Error| Failure::new(Exit::Unavailable, error);
    let address = connect(server)?.peer_addr().map_err(gone)?;
    let path = format!("{}/connection/websocket", server.prefix);
    Ok(Target { address, host: server.authority(), path })
}

/// One run of the command.
struct Run {
    plan: Plan,
    publisher: Publisher,
    seed: u64,
    storm_for: Duration,
    rate: u32,
    place: String,
    is_quiet: bool,
}

impl Run {
    fn new(options: &Options, server: Server, chance: &mut Chance) -> Self {
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
            Some(key) => {
                Publisher::Backend(Backend::new(server, Secret::new(key.as_str()), name, plan.payload_bytes))
            }
        };
        let seed = options
            .seed
            .unwrap_or_else(|| u64::from_le_bytes(chance.seed()[..8].try_into().unwrap_or([0; 8])));
        let storm_for = Duration::from_secs(options.seconds);
        Self { plan, publisher, seed, storm_for, rate: options.rate, place, is_quiet: options.json }
    }

    async fn torture(&self, target: &Target, chance: &mut Chance) -> Result<Report, Failure> {
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
    fn talk(&self, line: &str) {
        if !self.is_quiet {
            // If nobody listens, nothing is lost.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn a_server_elsewhere_is_tortured_by_its_owner_only() {
        for (arguments, expected) in [
            (&["http://localhost:8000"][..], None),
            (&["http://127.0.0.1:8000"], None),
            (&["http://[::1]:8000"], None),
            (&["http://example.org"], Some(Exit::Usage)),
            (&["http://10.0.0.1:8000"], Some(Exit::Usage)),
            (&["http://localhost.example.org"], Some(Exit::Usage)),
            (&["http://example.org", "--i-own-this-server"], None),
        ] {
            let line = ["torture"].iter().chain(arguments);
            let options = Line::try_parse_from(line).unwrap().options;
            let server = Server::parse(&options.url).unwrap();
            assert_eq!(
                allowed(&server, &options).err().map(|failure| failure.exit),
                expected,
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn everything_that_can_be_asked_for_has_a_bound() {
        for arguments in [
            &["--clients", "0"],
            &["--clients", "10001"],
            &["--channels", "1001"],
            &["--seconds", "3601"],
            &["--rate", "10001"],
        ] {
            assert!(Line::try_parse_from(["torture"].iter().chain(arguments)).is_err(), "{arguments:?}");
        }
    }
}

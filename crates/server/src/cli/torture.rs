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
mod objection;
mod options;
mod order;
mod plan;
mod publisher;
mod report;
mod run;
mod storm;
mod wire;

pub use self::crowd::{Crowd, Unsettled};
pub use self::latency::Latency;
pub use self::ledger::{Ledger, Number, Refusal, Sin, Tally, Violation};
pub use self::line::Target;
pub use self::objection::Objection;
pub(super) use self::options::Options;
pub use self::order::Order;
pub use self::plan::{CALM_PATIENCE, CHANNELS_MAX, CLIENTS_MAX, Plan, RATE_MAX, SECONDS_MAX};
pub use self::publisher::{Backend, Publisher};
use self::run::Run;
pub use self::storm::Storm;
use super::connect::connect;
use super::trust::Trust;
use super::url::Server;
use super::{Exit, Failure, exit, load};
use crate::chance::Chance;

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let server = Server::parse(&options.url)?;
    load::allowed(&server, "torture", options.i_own_this_server)?;
    load::make_room(options.clients as usize, "--clients")?;
    let trust = Trust::new(&server, options.ca_file.as_deref())?;
    let target = target(&server, trust.clone())?;
    let run = Run::new(options, server, trust, &mut chance);
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

fn target(server: &Server, trust: Trust) -> Result<Target, Failure> {
    let gone = |error: std::io::Error| Failure::new(Exit::Unavailable, error);
    let address = connect(server, &trust)?.socket().peer_addr().map_err(gone)?;
    let path = format!("{}/connection/websocket", server.prefix);
    Ok(Target { address, host: server.authority(), path, name: server.host.clone(), trust })
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

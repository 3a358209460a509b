//! `bench soak`: days in minutes. Many come and go, a room talks without a pause, and a crowd has accidents.
//!
//! Three loads at one server: *visitors*, who connect, subscribe and leave; *a room*, in which everybody counts; and a
//! crowd with a ledger, whose connections are cut all the time. At the end every promise must have been kept, memory
//! must be flat, and the server's counters must be back at zero.

mod counts;
mod room;
mod visitors;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use spanwire::Chance;
use spanwire::cli::torture::{Crowd, Plan, Storm, Target};

use crate::chaos::{PATIENCE, nothing_is_left};
use crate::lab::DEFAULT_PING_S;
use crate::settle;
use crate::spanwire::Spanwire;
use crate::subject::Server;
use crate::table;
use counts::Counts;

/// Visits of a second, and deliveries in the room, where the machine can do them.
const VISITS_PER_SECOND: u64 = 2_500;
const DELIVERIES_PER_SECOND: u64 = 45_000;
/// Fewer visits of a second than this are no soak.
const VISITS_PER_SECOND_MIN: u64 = 1_000;
/// How much memory the server may gain between the first quarter and the end, in bytes. What it keeps in the first one is
/// what it always keeps; of what the crowd publishes it remembers the keys for five minutes.
const GROWN_BYTES_MAX: u64 = 8 << 20;
/// How often it is told how it goes.
const WORD_EVERY: Duration = Duration::from_secs(10);
/// The crowd: clients, channels, publications of a second, accidents of a second.
const CROWD: (usize, usize, f64, f64) = (100, 10, 100.0, 20.0);

/// What befalls a server, and what must be true.
pub(crate) const PROMISE: (&str, &str) = (
    "150,000 who come and go in a minute, a room that talks, and 20 accidents a second",
    "memory is flat, nothing is lost, nothing comes twice, and every counter returns to zero",
);

/// How long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Minutes, in each of which 150,000 come and go and 2,700,000 messages arrive; more where the machine is busy, and
    /// 2.5 times as many at most.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
}

/// Soaks the release binary.
pub(crate) fn run(options: &Options, spanwire: Option<&Path>) -> Result<()> {
    let spanwire = Spanwire::find(spanwire)?;
    settle()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the crowd's runtime")?;
    let seen = runtime.block_on(play(&spanwire, options.minutes, |line| eprintln!("bench: {line}")))?;
    println!("soak: kept. {seen}");
    Ok(())
}

/// Soaks a server for so many minutes, and says what was seen.
pub(crate) async fn play(spanwire: &Spanwire, minutes: u32, say: impl Fn(&str)) -> Result<String> {
    let server = Arc::new(spanwire.start(DEFAULT_PING_S)?);
    let counts = Arc::new(Counts::wanted(
        u64::from(minutes) * 60 * VISITS_PER_SECOND,
        u64::from(minutes) * 60 * DELIVERIES_PER_SECOND,
    ));
    let (clients, channels, publications, accidents) = CROWD;
    let mut chance =
        Chance::from_system().map_err(|error| anyhow!("the system has no chance to give: {error}"))?;
    let plan = Plan::new(clients, channels, "rec:soak ");
    let crowd = Crowd::start(&Target::at(server.address), &plan, &mut chance);
    crowd.arrived(PATIENCE).await?;
    let loads = [load(&server, &counts, visitors::run), load(&server, &counts, room::run)];
    let began = Instant::now();
    let watched =
        crowd.during(Storm::new(1, publications, accidents), watch(&server, &counts, &loads, &say)).await;
    counts.end();
    let took = began.elapsed();
    for load in loads {
        load.join().map_err(|_| anyhow!("a load panicked"))??;
    }
    let resident = watched?;
    let tally = crowd.vouch(PATIENCE).await?;
    crowd.leave().await;
    nothing_is_left(server.address).await?;
    let grown = resident.last.saturating_sub(resident.first_quarter);
    ensure!(grown <= GROWN_BYTES_MAX, "{grown} bytes were gained since the first quarter: {resident:?}");
    Ok(format!(
        "{} visits ({:.0} a second), {} messages in the room and {} in the crowd, each once; {} connections cut, {} gaps \
         told; resident {:.1} MB after a quarter and {:.1} MB at the end; all counters at zero",
        counts.visits(),
        counts.visits() as f64 / took.as_secs_f64(),
        table::number(counts.deliveries() as f64),
        table::number(tally.delivered as f64),
        tally.disconnects,
        tally.gaps,
        resident.first_quarter as f64 / 1e6,
        resident.last as f64 / 1e6,
    ))
}

fn load(
    server: &Arc<Server>,
    counts: &Arc<Counts>,
    run: fn(&Server, &Counts) -> Result<()>,
) -> JoinHandle<Result<()>> {
    let (server, counts) = (server.clone(), counts.clone());
    std::thread::spawn(move || run(&server, &counts))
}

/// What the server held of memory of its own, in bytes.
#[derive(Debug, Default)]
struct Resident {
    first_quarter: u64,
    last: u64,
}

/// Waits until there have been enough of everything, and tells how it goes.
async fn watch(
    server: &Server,
    counts: &Counts,
    loads: &[JoinHandle<Result<()>>],
    say: &impl Fn(&str),
) -> Result<Resident> {
    let (began, mut spoken, mut resident) = (Instant::now(), Instant::now(), Resident::default());
    let time_max = Duration::from_secs(counts.visits_wanted() / VISITS_PER_SECOND_MIN);
    while !counts.are_enough() {
        tokio::time::sleep(WORD_EVERY / 10).await;
        resident.last = server.process.resident_bytes()?;
        if counts.share() < 0.25 {
            resident.first_quarter = resident.last;
        }
        if spoken.elapsed() >= WORD_EVERY {
            spoken = Instant::now();
            say(&format!("{counts}; the server holds {:.1} MB", resident.last as f64 / 1e6));
        }
        ensure!(began.elapsed() <= time_max, "too slow for a soak: {counts} after {:?}", began.elapsed());
        if loads.iter().any(JoinHandle::is_finished) {
            // They go on until they are told to end, so this one has failed, and says why when it is joined.
            break;
        }
    }
    Ok(resident)
}

//! `spanwire bench`: one publisher and many subscribers, all of them whole clients, against a server of one's own.
//!
//! What it costs the server is measured by `bench/`, whose load is no client so that it does not measure itself. This is
//! for whoever wants to see what comes out at the end: deliveries and latency, as programs of theirs would have them.

mod crowd;
mod message;
mod options;
mod report;
mod tally;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rustix::time::{ClockId, clock_gettime};
use spanwire_client::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use self::crowd::Crowd;
use self::message::Run;
pub(super) use self::options::Options;
use self::report::{Report, Times};
use self::tally::Tally;
use super::url::Server;
use super::{Exit, Failure, exit, load, publish, session};
use crate::chance::Chance;

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let server = Server::parse(&options.url)?;
    load::allowed(&server, "a benchmark", options.i_own_this_server)?;
    load::make_room(options.subscribers as usize + 1, "--subscribers")?;
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let run = Run::new(&mut chance);
    let report = session::runtime()?.block_on(play(options, &server, run))?;
    exit::print(&if options.json { report.json() } else { report.to_string() })?;
    report.verdict()
}

/// Seats everybody, publishes, and waits until all have everything or nothing comes any more. Who interrupts it learns how
/// far it came.
async fn play(options: &Options, server: &Server, run: Run) -> Result<Report, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| Failure::new(Exit::Failed, error))?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let began = Instant::now();
    let (mut crowd, publisher) = tokio::select! {
        seated = seat(options, server, run, &tally) => seated?,
        _ = interrupt.recv() => return Err(report::interrupted()),
    };
    let seated = began.elapsed();
    let (began, cpu_before) = (Instant::now(), cpu_time());
    let mut published = None;
    let interrupted = tokio::select! {
        all = publish_all(options, &publisher, run) => {
            all?;
            published = Some(began.elapsed());
            tokio::select! {
                () = crowd.finish() => false,
                _ = interrupt.recv() => true,
            }
        }
        _ = interrupt.recv() => true,
    };
    let cpu = cpu_time().saturating_sub(cpu_before);
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let elapsed = tally.last.map_or(Duration::ZERO, |last| last.saturating_duration_since(began));
    crowd.leave().await;
    publisher.close().await;
    Ok(Report::new(options, &tally, Times { seated, published, elapsed, cpu }, interrupted))
}

/// Everybody who listens, and the one who publishes. That one comes first: whoever listens does so from now on.
async fn seat(
    options: &Options,
    server: &Server,
    run: Run,
    tally: &Arc<Mutex<Tally>>,
) -> Result<(Crowd, Client), Failure> {
    let publisher = options.client(server)?;
    session::arrive(&publisher, server).await?;
    let crowd = Crowd::seat(options, server, run, tally).await?;
    Ok((crowd, publisher))
}

/// Publishes everything: at a steady rate, or as fast as it is acknowledged. A message is late from when it was due, not from
/// when there was time for it.
async fn publish_all(options: &Options, publisher: &Client, run: Run) -> Result<(), Failure> {
    let began = Instant::now();
    let due = async |number: u32| {
        let Some(rate) = options.rate else { return Instant::now() };
        let due = began + Duration::from_secs(1) * number / rate;
        tokio::time::sleep_until(due).await;
        due
    };
    let in_flight = if options.rate.is_some() { options::IN_FLIGHT_MAX } else { options.in_flight };
    stream::iter(0..options.messages)
        .then(async |number| (number, due(number).await))
        .map(|(number, due)| publisher.publish(&options.channel, &run.message(number, due, options.bytes)))
        .buffer_unordered(in_flight as usize)
        .try_for_each(|_| async { Ok(()) })
        .await
        .map_err(|error| publish::failure(&options.channel, &error))
}

/// What this process has used of its cores since it began.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

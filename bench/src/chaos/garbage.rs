//! Strangers who send noise: to HTTP, behind a handshake, and in frames that are sound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use spanwire::Chance;
use spanwire::cli::torture::{Crowd, Latency, Plan};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::stage::{PATIENCE, Stage, talk};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "1,000 sockets send 1 MB/s of garbage, to HTTP and in WebSockets",
    "p99 of the others stays under twice its quiet value, and nobody of them is let go",
);

/// Who sends garbage.
const STRANGERS: usize = 1_000;

/// What each of them sends in a second.
const BYTES_PER_SECOND: usize = 1_000;

const PER_SECOND: f64 = 200.0;

/// Publications before a window begins: a second in which strangers have all begun, or what they left is cleared away.
const BEFORE: u64 = 200;

/// Publications of a window.
const PUBLICATIONS: u64 = 300;

/// Windows of each kind, in turns, so that whatever else the machine does falls on both.
const WINDOWS: usize = 11;

/// A p99 below this is not held against its quiet value: it is the scheduler's.
const NOTICEABLE: Duration = Duration::from_millis(3);

/// How noise is wrapped.
#[derive(Debug, Clone, Copy)]
enum Wrapping {
    /// Not at all: to HTTP.
    Bare,
    /// Behind a good handshake: frames that are none.
    BehindHandshake,
    /// In frames that are sound: messages that are none.
    InFrames,
}

const WRAPPINGS: [Wrapping; 3] = [Wrapping::Bare, Wrapping::BehindHandshake, Wrapping::InFrames];

/// What the strangers are told, and what they tell.
#[derive(Debug, Default)]
struct Strangers {
    at_work: AtomicBool,
    bytes: AtomicU64,
}

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let server = stage.server(Setting::default())?;
    let crowd = stage.crowd(&server, &Plan::new(100, 10, "inside ")).await?;
    // In a thread of its own, so that what garbage costs its makers is not taken for the server's delay.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let elsewhere = elsewhere.context("cannot start the strangers' runtime")?;
    let strangers = Arc::new(Strangers::default());
    for number in 0..STRANGERS {
        let wrapping = WRAPPINGS[number % WRAPPINGS.len()];
        elsewhere.spawn(pester(server.address(), number, wrapping, noise()?, strangers.clone()));
    }
    let (mut quiet, mut beside, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        quiet.push(p99(&window(&crowd).await?)?);
        strangers.at_work.store(true, Ordering::Relaxed);
        let (before, began) = (strangers.bytes.load(Ordering::Relaxed), Instant::now());
        beside.push(p99(&window(&crowd).await?)?);
        let sent = strangers.bytes.load(Ordering::Relaxed) - before;
        rates.push(sent as f64 / began.elapsed().as_secs_f64());
        strangers.at_work.store(false, Ordering::Relaxed);
        stage.say(&format!("p99 in turns, quiet {}; beside garbage {}", told(&quiet), told(&beside)));
    }
    elsewhere.shutdown_background();
    let tally = stage.close(&server, crowd).await?;
    ensure!(tally.disconnects == 0, "those inside lost their connections: {tally:?}");
    let rate = rates.iter().sum::<f64>() / rates.len() as f64;
    let (quiet, beside) = (median(quiet), median(beside));
    let ratio = beside.as_secs_f64() / quiet.as_secs_f64();
    let seen = format!(
        "{:.2} MB/s; p99, medians: quiet {quiet:.1?}, beside garbage {beside:.1?}, {ratio:.2} x",
        rate / 1e6
    );
    ensure!(rate >= 0.9 * (STRANGERS * BYTES_PER_SECOND) as f64, "too little garbage: {seen}");
    ensure!(beside < NOTICEABLE.max(2 * quiet), "{seen}");
    Ok(seen)
}

/// What publications took, after those before the window are through.
async fn window(crowd: &Crowd) -> Result<Latency> {
    crowd.during(talk(PER_SECOND), crowd.acknowledged(BEFORE, PATIENCE)).await?;
    crowd.take_latency();
    crowd.during(talk(PER_SECOND), crowd.acknowledged(PUBLICATIONS, PATIENCE)).await?;
    Ok(crowd.take_latency())
}

fn p99(latency: &Latency) -> Result<Duration> {
    latency.percentile(0.99).context("nothing was measured")
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}

fn told(durations: &[Duration]) -> String {
    let each: Vec<_> = durations.iter().map(|took| format!("{:.1}", took.as_secs_f64() * 1e3)).collect();
    format!("{} ms", each.join(", "))
}

/// Sends noise once a second while strangers are at work, on a new connection whenever the server has had enough of the
/// last one.
async fn pester(
    address: SocketAddr,
    number: usize,
    wrapping: Wrapping,
    noise: Vec<u8>,
    strangers: Arc<Strangers>,
) {
    let second = Duration::from_secs(1);
    let offset = second * number as u32 / STRANGERS as u32;
    let mut ticks = interval_at(tokio::time::Instant::now() + offset, second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut stream = None;
    loop {
        ticks.tick().await;
        if !strangers.at_work.load(Ordering::Relaxed) {
            stream = None;
            continue;
        }
        if stream.is_none() {
            stream = open(address, wrapping).await.ok();
        }
        let Some(open) = &mut stream else { continue };
        if open.write_all(&noise).await.is_ok() {
            strangers.bytes.fetch_add(noise.len() as u64, Ordering::Relaxed);
        }
        // Whatever it answers; when it hangs up, so do we.
        let mut answer = [0; 1024];
        let heard = timeout(second / 10, async {
            while open.read(&mut answer).await.is_ok_and(|count| count > 0) {}
        });
        if heard.await.is_ok() {
            stream = None;
        }
    }
}

async fn open(address: SocketAddr, wrapping: Wrapping) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    if let Wrapping::Bare = wrapping {
        return Ok(stream);
    }
    let handshake = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(handshake.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(stream.read_buf(&mut answer).await? > 0, "no answer");
    }
    if let Wrapping::InFrames = wrapping {
        // A masked binary message of all that follows in this second; the mask is zero.
        let length = u16::try_from(BYTES_PER_SECOND)?.to_be_bytes();
        stream.write_all(&[0x82, 0xfe, length[0], length[1], 0, 0, 0, 0]).await?;
    }
    Ok(stream)
}

fn noise() -> Result<Vec<u8>> {
    let mut chance = Chance::from_system().map_err(|error| anyhow!("no chance: {error}"))?;
    let mut noise = Vec::with_capacity(BYTES_PER_SECOND + 32);
    while noise.len() < BYTES_PER_SECOND {
        noise.extend_from_slice(&chance.seed());
    }
    noise.truncate(BYTES_PER_SECOND);
    Ok(noise)
}

//! A stranger who shows forged tokens as fast as its connections let it: what that costs the server, and those inside.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use spanwire::cli::torture::{Crowd, Plan};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

use super::metrics;
use super::stage::{PATIENCE, Stage, talk};
use super::victim::{Setting, Victim};
use crate::frame;

pub(super) const PROMISE: (&str, &str) = (
    "10 connections of one address show 1,000 forged tokens a second",
    "no more of them are verified than the limit allows, whatever that saves",
);

/// Connections of the stranger.
const FORGERS: usize = 10;

/// How often each of them shows tokens, and how many at once: as many subscribes as a client may ask for by default.
const EVERY: Duration = Duration::from_millis(100);
const AT_ONCE: usize = 10;

/// `client.ip_auth_failure_rate_limit` of a server that limits: the default, whose window is five seconds.
const LIMIT: f64 = 10.0;
const WINDOW: f64 = 5.0;

/// Publications of those inside, a second.
const PER_SECOND: f64 = 200.0;

/// Publications of a measurement: five seconds.
const PUBLICATIONS: u64 = 1_000;

/// The public half of a key that nobody here has, on P-521: the dearest of all signatures to verify.
const KEY: &str = concat!(
    "-----BEGIN PUBLIC KEY-----\n",
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA0TqxQ4nhLYXwZ33ux6OtfR+6eVIl\n",
    "2XWxyONHZZYAlS2b2uLcS3RYykCH8AYAJ/EluoFS82MssS23s9jQG8WjE80BE/jU\n",
    "qe4sXNY8zA5/9TadfsxwQVO00zRCpCv0BipVc9hTENxppp7JJXwHXfKJPCYRzd4a\n",
    "b3BIqA/XMdhP/OId8qA=\n",
    "-----END PUBLIC KEY-----\n",
);

/// A token that another key has signed.
const FORGED: &str = concat!(
    "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJldmUiLCJjaGFubmVsIjoiJHJvb20ifQ.AEKXJ3mjBPDLcmuR6wop",
    "G2E4gpEp4b4423bvjBz20Y_vaZoXW3qWll7xm3psvIpEUSIRppq2sNGg7ek3lnv3zBe2AB1URkeopmWgYvH4jnoJDGecFtkWhepK",
    "bfnOF-FWsisstLd2623OSme1ERCQtNokqkQZn6uaaTnJqq4_kyy2iN0i",
);

/// What was measured over a while.
struct Figures {
    /// Tokens a second whose signature was verified, and found wanting.
    verified: f64,
    /// Tokens a second that were not looked at.
    unseen: f64,
    /// Of one core.
    cpu: f64,
    /// Of publications among those inside.
    p99: Duration,
    lasted: f64,
}

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let (quiet, open) = beside_forgers(stage, 0.0).await?;
    let (still, limited) = beside_forgers(stage, LIMIT).await?;
    let seen = format!(
        "without the limit: {}, quiet {}; with it: {}, quiet {}",
        told(&open),
        told(&quiet),
        told(&limited),
        told(&still)
    );
    ensure!(open.verified > 20.0 * LIMIT, "too few forged tokens: {seen}");
    // Two shards may each have one under way when the last is counted.
    let most = LIMIT * (WINDOW + limited.lasted) + 2.0;
    ensure!(limited.verified * limited.lasted <= most, "too many were verified: {seen}");
    // What the stranger costs is the difference to the same server without it: another one may cost more by itself.
    ensure!(limited.cpu - still.cpu < (open.cpu - quiet.cpu) / 2.0, "the limit saves nothing: {seen}");
    Ok(seen)
}

/// What a server with this limit costs, without the stranger and then with it.
async fn beside_forgers(stage: &Stage<'_>, limit: f64) -> Result<(Figures, Figures)> {
    let server = stage.server(Setting::with(|setting| {
        setting.config["client"]["ip_auth_failure_rate_limit"] = json!(limit as u32);
        setting.config["client"]["subscription_token"] = json!({ "enabled": true, "ecdsa_public_key": KEY });
        // Loopback is not counted, so the stranger comes from afar, by a proxy.
        setting.config["http_server"]["trusted_proxies"] = json!(["127.0.0.0/8"]);
    }))?;
    let crowd = stage.crowd(&server, &Plan::new(50, 10, "inside ")).await?;
    let quiet = measure(&server, &crowd).await?;
    stage.say(&format!("limit {limit}, quiet: {}", told(&quiet)));
    let at_work = Arc::new(AtomicBool::new(true));
    let elsewhere = forgers(server.address(), &at_work)?;
    let beside = measure(&server, &crowd).await;
    at_work.store(false, Ordering::Relaxed);
    elsewhere.shutdown_background();
    let beside = beside?;
    stage.say(&format!("limit {limit}, beside {FORGERS} forgers: {}", told(&beside)));
    stage.close(&server, crowd).await?;
    Ok((quiet, beside))
}

async fn measure(server: &Victim, crowd: &Crowd) -> Result<Figures> {
    crowd.take_latency();
    let (before, cpu, began) =
        (metrics::read(server.address())?, server.process().cpu_time()?, Instant::now());
    crowd.during(talk(PER_SECOND), crowd.acknowledged(PUBLICATIONS, PATIENCE)).await?;
    // A server that is busy takes its time to tell, and goes on meanwhile.
    let after = metrics::read(server.address())?;
    let (lasted, used) = (began.elapsed().as_secs_f64(), server.process().cpu_time()? - cpu);
    let rate = |name: &str| {
        let count = |samples: &str| metrics::figure(samples, name).unwrap_or(0.0);
        (count(&after) - count(&before)) / lasted
    };
    Ok(Figures {
        verified: rate("spanwire_denials_total{reason=\"token\"}"),
        unseen: rate("spanwire_rate_limited_total{limit=\"ip_auth_failure_rate_limit\"}"),
        cpu: used.as_secs_f64() / lasted,
        p99: crowd.take_latency().percentile(0.99).context("nothing was measured")?,
        lasted,
    })
}

fn told(figures: &Figures) -> String {
    let Figures { verified, unseen, cpu, p99, .. } = figures;
    format!(
        "{verified:.0} verified/s, {unseen:.0} not looked at/s, {:.0} % of a core, p99 {p99:.1?}",
        cpu * 100.0
    )
}

/// The stranger, in a thread of its own, so that what it costs is not taken for the server's delay.
fn forgers(address: SocketAddr, at_work: &Arc<AtomicBool>) -> Result<Runtime> {
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let elsewhere = elsewhere.context("cannot start the stranger's runtime")?;
    for _ in 0..FORGERS {
        let at_work = at_work.clone();
        elsewhere.spawn(async move {
            while at_work.load(Ordering::Relaxed) {
                // Let go, it comes back.
                let _ = forge(address, &at_work).await;
                tokio::time::sleep(EVERY).await;
            }
        });
    }
    Ok(elsewhere)
}

/// One connection of the stranger, for as long as it lasts.
async fn forge(address: SocketAddr, at_work: &AtomicBool) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    let (mut answers, mut stream) = stream.into_split();
    let handshake = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"
    );
    stream.write_all(handshake.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(answers.read_buf(&mut head).await? > 0, "no answer");
    }
    // Whatever it answers; at its end, the next write fails.
    tokio::spawn(async move {
        let mut answer = [0; 4096];
        while answers.read(&mut answer).await.is_ok_and(|count| count > 0) {}
    });
    say(&mut stream, r#"{"id":1,"connect":{}}"#).await?;
    let commands: Vec<_> = (2..)
        .take(AT_ONCE)
        .map(|id| format!(r#"{{"id":{id},"subscribe":{{"channel":"$room","token":"{FORGED}"}}}}"#))
        .collect();
    let commands = commands.join("\n");
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while at_work.load(Ordering::Relaxed) {
        ticks.tick().await;
        say(&mut stream, &commands).await?;
    }
    Ok(())
}

async fn say(stream: &mut OwnedWriteHalf, commands: &str) -> Result<()> {
    Ok(stream.write_all(&frame::text(commands)).await?)
}

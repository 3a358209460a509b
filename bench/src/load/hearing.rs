//! One publisher, and sessions that hear it over one transport.

use std::ops::Range;
use std::process;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::Outcome;
use crate::audience::{Audience, Errand, Transport};
use crate::subject::Server;
use crate::tongue::Tongue;
use crate::{procfs, script};

const SUBSCRIBERS: usize = 200;
/// Between two messages.
const INTERVAL: Duration = Duration::from_millis(20);
const MESSAGES: u32 = 50;
const WARM_UP: u32 = 10;
/// Longest that the last messages may take to arrive everywhere.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

/// Sessions that are there before memory is read for the first time.
const IDLE_BEFORE: usize = 200;
/// Sessions whose memory is counted.
const IDLE: usize = 1_000;
/// Memory has settled when it is the same after so long.
const SETTLED: Duration = Duration::from_millis(100);

/// What it took to tell [`SUBSCRIBERS`] sessions [`MESSAGES`] messages.
pub(crate) struct Heard {
    /// As for every load; the bytes are those of TCP.
    pub(crate) outcome: Outcome,
    /// Bytes that the subscribers sent for it.
    bytes_sent: u64,
}

impl Heard {
    /// Bytes that a subscriber sent for each delivery.
    pub(crate) fn bytes_sent(&self) -> f64 {
        self.bytes_sent as f64 / self.outcome.deliveries as f64
    }
}

/// Publishes at a steady pace. Fails unless each session hears each message once and in order. Latencies are sorted.
pub(crate) fn deliver(server: &Server, transport: Transport) -> Result<Heard> {
    let mut room = Room::open(server, transport)?;
    room.stretch(0..WARM_UP)?;
    room.latencies.clear();
    let (server_cpu, load_cpu) = (server.process.cpu_time()?, procfs::cpu_time(process::id())?);
    let (begun, (received, sent)) = (Instant::now(), room.audience.traffic());
    room.stretch(WARM_UP..WARM_UP + MESSAGES)?;
    let (elapsed, (received_after, sent_after)) = (begun.elapsed(), room.audience.traffic());
    room.latencies.sort_unstable();
    let outcome = Outcome {
        deliveries: u64::from(MESSAGES) * SUBSCRIBERS as u64,
        elapsed,
        server_cpu: server.process.cpu_time()? - server_cpu,
        load_cpu: procfs::cpu_time(process::id())? - load_cpu,
        bytes_read: received_after - received,
        latencies: room.latencies,
    };
    Ok(Heard { outcome, bytes_sent: sent_after - sent })
}

/// Memory of the server for each session that only connects, in bytes.
pub(crate) fn idle_bytes(server: &Server, transport: Transport) -> Result<f64> {
    let mut audience = Audience::new()?;
    audience.seat(server, transport, Errand::Connect, IDLE_BEFORE)?;
    let before = settled(server, &mut audience)?;
    audience.seat(server, transport, Errand::Connect, IDLE)?;
    Ok(settled(server, &mut audience)?.saturating_sub(before) as f64 / IDLE as f64)
}

/// Memory when it no longer changes: a poll is asked after its session is there.
fn settled(server: &Server, audience: &mut Audience) -> Result<u64> {
    let deadline = Instant::now() + ARRIVAL_MAX;
    let mut before = server.process.resident_bytes()?;
    loop {
        let until = Instant::now() + SETTLED;
        while Instant::now() < until {
            audience.turn(until, &mut |_, _| {})?;
        }
        let now = server.process.resident_bytes()?;
        if now == before {
            return Ok(now);
        }
        ensure!(until < deadline, "the server's memory goes on changing");
        before = now;
    }
}

/// The subscribers, and behind them the publisher, who speaks over a WebSocket.
struct Room {
    audience: Audience,
    /// The number that each subscriber has to hear next.
    next: Vec<u32>,
    latencies: Vec<u64>,
}

impl Room {
    fn open(server: &Server, transport: Transport) -> Result<Room> {
        let mut audience = Audience::new()?;
        audience.seat(server, transport, Errand::Subscribe, SUBSCRIBERS)?;
        audience.seat(server, Transport::WebSocket, Errand::Connect, 1)?;
        Ok(Room { audience, next: vec![0; SUBSCRIBERS], latencies: Vec::new() })
    }

    /// Publishes the messages with these numbers, each when it is due, and returns when all were heard everywhere.
    fn stretch(&mut self, numbers: Range<u32>) -> Result<()> {
        let begun = Instant::now();
        let due = |number: u32| begun + INTERVAL * (number - numbers.start);
        for number in numbers.clone() {
            while Instant::now() < due(number) {
                self.listen(due(number), due)?;
            }
            // Id 1 was connect.
            let data = script::data(number, script::DATA_BYTES);
            self.audience.say(&Tongue::Json.publish(number + 2, script::CHANNEL, &data))?;
        }
        let deadline = Instant::now() + ARRIVAL_MAX;
        while let Some(behind) = self.next.iter().position(|next| *next < numbers.end) {
            let heard = self.next[behind];
            ensure!(Instant::now() < deadline, "session {behind} heard {heard} of {} messages", numbers.end);
            self.listen(deadline, due)?;
        }
        Ok(())
    }

    fn listen(&mut self, until: Instant, due: impl Fn(u32) -> Instant) -> Result<()> {
        let Room { audience, next, latencies } = self;
        let mut fault = None;
        audience.turn(until, &mut |session, number| {
            let Some(next) = next.get_mut(session) else { return };
            if number != *next {
                fault.get_or_insert((session, *next, number));
                return;
            }
            *next += 1;
            latencies.push(Instant::now().saturating_duration_since(due(number)).as_nanos() as u64);
        })?;
        match fault {
            Some((session, owed, got)) => bail!("session {session} was owed message {owed} and heard {got}"),
            None => Ok(()),
        }
    }
}

//! Connections that do nothing but answer the server's heartbeats.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::crowd::{Crowd, Guests};
use crate::script;
use crate::subject::Server;
use crate::tongue::Tongue;

/// Connections that are there before the first reading of memory, so that what the server allocates once
/// (buffers of the HTTP edge, tables of their first size) is not counted as theirs.
const WARM_UP: usize = 500;
/// Subscribers of one channel, where connections subscribe.
const CHANNEL_MEMBERS: usize = 1_000;

/// An idle load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// Connections, apart from those for warming up.
    pub(crate) connections: usize,
    /// Whether each holds one recoverable subscription.
    pub(crate) subscribed: bool,
    /// The server's interval between heartbeats.
    pub(crate) ping: Duration,
}

/// What idle connections cost.
#[derive(Debug)]
pub(crate) struct IdleCost {
    /// Resident memory of the server for each connection, in bytes, after a heartbeat.
    pub(crate) bytes: f64,
    /// Processor time of the server for each heartbeat, in microseconds.
    pub(crate) heartbeat_us: f64,
}

impl Idle {
    /// Holds the connections for three intervals: in the first each has its first heartbeat, the other
    /// two are measured. Fails if a tenth of the heartbeats is missing.
    pub(crate) fn run(&self, server: &Server) -> Result<IdleCost> {
        let mut crowd = Crowd::new()?;
        self.seat(&mut crowd, server, WARM_UP)?;
        let bytes = server.process.resident_bytes()?;
        self.seat(&mut crowd, server, self.connections)?;
        listen(&mut crowd, self.ping)?;
        let (cpu, pings) = (server.process.cpu_time()?, crowd.pings);
        listen(&mut crowd, self.ping * 2)?;
        let (cpu, pings) = (server.process.cpu_time()? - cpu, crowd.pings - pings);
        let expected = 2 * (self.connections + WARM_UP) as u64;
        ensure!(pings * 10 >= expected * 9, "only {pings} of {expected} heartbeats came");
        Ok(IdleCost {
            bytes: server.process.resident_bytes()?.saturating_sub(bytes) as f64 / self.connections as f64,
            heartbeat_us: cpu.as_secs_f64() * 1e6 / pings as f64,
        })
    }

    /// Resident memory for each connection, in bytes, as soon as all are there.
    pub(crate) fn bytes(&self, server: &Server) -> Result<f64> {
        let mut crowd = Crowd::new()?;
        self.seat(&mut crowd, server, WARM_UP)?;
        let bytes = server.process.resident_bytes()?;
        self.seat(&mut crowd, server, self.connections)?;
        Ok(server.process.resident_bytes()?.saturating_sub(bytes) as f64 / self.connections as f64)
    }

    fn seat(&self, crowd: &mut Crowd, server: &Server, connections: usize) -> Result<()> {
        let hello = |number: usize| {
            let mut frames = vec![Tongue::Json.connect(1)];
            if self.subscribed {
                frames.push(Tongue::Json.subscribe(2, &script::recoverable(number / CHANNEL_MEMBERS)));
            }
            frames
        };
        crowd.seat(&Guests::of(server, Tongue::Json, connections, &hello))
    }
}

/// Answers heartbeats for so long.
fn listen(crowd: &mut Crowd, span: Duration) -> Result<()> {
    let end = Instant::now() + span;
    while Instant::now() < end {
        crowd.turn(end, &mut |_, _| {})?;
    }
    Ok(())
}

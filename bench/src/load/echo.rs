//! Connections that each keep some messages under way to an echo.

use std::process;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Outcome;
use crate::crowd::{Crowd, Guests};
use crate::frame;
use crate::procfs;
use crate::subject::Server;
use crate::tongue::Tongue;

/// Bytes of a message.
const PAYLOAD: &str = "a message of thirty-two bytes ..";
/// Longest that a stretch may take.
const STRETCH_MAX: Duration = Duration::from_secs(60);

/// An echo load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Echo {
    /// Connections.
    pub(crate) connections: usize,
    /// Messages that each keeps under way.
    pub(crate) in_flight: u64,
    /// Messages of each that are counted; a fifth as many go before, for warming up.
    pub(crate) messages: u64,
}

impl Echo {
    /// Runs the load once.
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome> {
        let mut crowd = Crowd::new()?;
        let hello = |_| Vec::new();
        let guests = Guests::new(server.address, Tongue::Raw, self.connections, &hello);
        crowd.seat(&Guests { path: "/echo", ..guests })?;
        self.stretch(&mut crowd, self.messages / 5)?;
        let (server_cpu, load_cpu) = (server.process.cpu_time()?, procfs::cpu_time(process::id())?);
        let (begun, bytes_read) = (Instant::now(), crowd.bytes_read);
        let deliveries = self.stretch(&mut crowd, self.messages)?;
        Ok(Outcome {
            deliveries,
            elapsed: begun.elapsed(),
            server_cpu: server.process.cpu_time()? - server_cpu,
            bytes_read: crowd.bytes_read - bytes_read,
            load_cpu: procfs::cpu_time(process::id())? - load_cpu,
            latencies: Vec::new(),
        })
    }

    fn stretch(&self, crowd: &mut Crowd, messages: u64) -> Result<u64> {
        let message = frame::text(PAYLOAD);
        let burst = message.repeat(self.in_flight as usize);
        let mut sent = vec![self.in_flight; self.connections];
        let mut received = vec![0; self.connections];
        for client in 0..self.connections {
            crowd.send(client, &burst)?;
        }
        let (mut total, mut wrong) = (0, 0);
        let mut heard: Vec<(usize, u64)> = Vec::new();
        let deadline = Instant::now() + STRETCH_MAX;
        let expected = messages * self.connections as u64;
        while total < expected {
            ensure!(Instant::now() < deadline, "echo: {total} of {expected} messages came back in time");
            crowd.turn(deadline, &mut |client, payload| {
                wrong += u64::from(payload != PAYLOAD.as_bytes());
                match heard.last_mut() {
                    Some((last, count)) if *last == client => *count += 1,
                    _ => heard.push((client, 1)),
                }
            })?;
            for (client, count) in heard.drain(..) {
                received[client] += count;
                total += count;
                let more = count.min(messages.saturating_sub(sent[client]));
                sent[client] += more;
                crowd.send(client, &burst[..message.len() * more as usize])?;
            }
        }
        ensure!(wrong == 0, "echo: {wrong} messages came back changed");
        ensure!(received.iter().all(|&count| count == messages), "echo: a connection got too many");
        Ok(total)
    }
}

//! Connections that are opened, answered and closed, one after the other and many at once.

use std::process;
use std::time::Instant;

use anyhow::Result;

use super::Outcome;
use crate::crowd::{Crowd, Guests};
use crate::procfs;
use crate::subject::Server;
use crate::tongue::Tongue;

/// A churn load: each connection does the WebSocket handshake, sends the connect command, awaits its reply
/// and hangs up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Churn {
    /// Connections that are counted; a tenth as many go before, for warming up.
    pub(crate) connections: usize,
}

impl Churn {
    /// Runs the load once. A delivery is a connection that got its reply.
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome> {
        let hello = |_| vec![Tongue::Json.connect(1)];
        let guests = |count| Guests::new(server.address, Tongue::Json, count, &hello);
        let mut crowd = Crowd::new()?;
        crowd.pass_through(&guests(self.connections / 10))?;
        let (server_cpu, load_cpu) = (server.process.cpu_time()?, procfs::cpu_time(process::id())?);
        let (begun, bytes_read) = (Instant::now(), crowd.bytes_read);
        crowd.pass_through(&guests(self.connections))?;
        Ok(Outcome {
            deliveries: self.connections as u64,
            elapsed: begun.elapsed(),
            server_cpu: server.process.cpu_time()? - server_cpu,
            bytes_read: crowd.bytes_read - bytes_read,
            load_cpu: procfs::cpu_time(process::id())?.saturating_sub(load_cpu),
            latencies: Vec::new(),
        })
    }
}

//! The engine as a whole: its start, its listeners' addresses, its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use spanwire_hub::broker::MemoryBroker;
use tokio::sync::mpsc;

use super::clock::Clock;
use super::driver::{self, Task};
use super::failures::Failures;
use super::handle::Shared;
use super::headcount::Headcount;
use super::listener::bind_all;
use super::mailbox::Mailbox;
use super::ownership::Ownership;
use super::permits::Permits;
use super::shard::Shard;
use super::stats::ShardStats;
use super::{EngineConfig, EngineHandle};
use crate::auth::Revocations;

/// All shards of a node, running. Dropped, it stops.
pub struct Engine {
    handle: EngineHandle,
    addresses: Vec<SocketAddr>,
    threads: Vec<JoinHandle<()>>,
    ends: mpsc::UnboundedReceiver<Result<(), ShardFailed>>,
}

/// A shard has come to an end that nobody ordered: its thread panicked or lost its poller. The node has lost the
/// sessions and channels of that shard and must not go on without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shard {shard} failed: {reason}")]
pub struct ShardFailed {
    /// Which shard.
    pub shard: usize,
    /// The message of the panic, or of the system's error.
    pub reason: String,
}

impl Engine {
    /// Binds all listeners and starts all shards; when it returns, connections are accepted.
    ///
    /// # Errors
    /// An address is taken or may not be listened at, or the system has no descriptor or thread left.
    pub fn start(config: EngineConfig) -> io::Result<Self> {
        let shards = match config.shards {
            0 => thread::available_parallelism()?.get(),
            some => some,
        };
        // Brokers know no more listeners than this.
        let shards = shards.min(usize::from(MemoryBroker::LISTENERS_MAX));
        let (addresses, listeners) = bind_all(&config.listen, shards)?;
        let shared = Arc::new(Shared::new(shards, &config)?);
        let handle = EngineHandle::new(shared.clone());
        let (report, ends) = mpsc::unbounded_channel();
        let mut engine = Self { handle, addresses, threads: Vec::with_capacity(shards), ends };
        let clock = Clock::start();
        for (index, listeners) in listeners.into_iter().enumerate() {
            let shard = Shard::new(index, &config, shared.clone(), clock)?;
            let (handle, serve) = (engine.handle.shard(index), config.serve.clone());
            let task = Task { shard, clock, listeners, handle, serve };
            engine.threads.push(driver::spawn(index, task, report.clone())?);
        }
        Ok(engine)
    }

    /// Speaks to the shards, from any thread.
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }

    /// Where the engine listens: the configured addresses in their order, with the ports that were chosen.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits until the engine has ended, by [`Engine::stop`] or by a failure.
    ///
    /// # Errors
    /// A shard failed. The others go on until [`Engine::stop`], but the node should end.
    pub async fn ended(&mut self) -> Result<(), ShardFailed> {
        while let Some(end) = self.ends.recv().await {
            end?;
        }
        Ok(())
    }

    /// Ends all shards, whatever is still open, and waits for their threads. [`EngineHandle::drain`] comes first if
    /// clients are to be told.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.handle.stop();
        for thread in self.threads.drain(..) {
            // A panic was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    pub(super) fn new(shards: usize, config: &EngineConfig) -> io::Result<Self> {
        Ok(Self {
            mailboxes: (0..shards).map(|_| Mailbox::new()).collect::<io::Result<_>>()?,
            stats: (0..shards).map(|_| ShardStats::default()).collect(),
            ownership: Ownership::among(shards),
            permits: Permits::new(config.connections_max),
            users: Arc::new(Headcount::new(config.user_connections_max)),
            revocations: Revocations::default(),
            failures: Failures::new(config.auth_failure_rate),
            backend: config.backend.clone(),
            events: config.events.clone(),
            onlooker: config.onlooker.clone(),
            accepting: tokio::sync::watch::Sender::new(true),
        })
    }
}

#[cfg(test)]
mod tests;

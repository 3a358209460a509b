//! One size: servers and flocks, from the first connection to the last reading.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::WARM_UP;
use super::flock::{Answer, FlockOptions, Order};
use super::part::Part;
use super::shepherd::Shepherd;
use crate::kernel::Slabs;
use crate::spanwire::Spanwire;
use crate::subject::Server;

/// For how long each server's channels are published to, one after the other.
const PUBLISHING: Duration = Duration::from_secs(5);
/// How long nothing more may come once all has arrived.
const SILENCE: Duration = Duration::from_secs(1);

/// A size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    /// Server processes, and as many load processes.
    pub(super) processes: usize,
    /// All of them together.
    pub(super) whole: Part,
    /// The servers' interval between heartbeats.
    pub(super) ping: Duration,
}

/// What a stage brought; sums over all servers, without what was there before the connections that count.
#[derive(Debug)]
pub(super) struct Figures {
    /// Connections that count.
    pub(super) connections: usize,
    /// Channels that came with them.
    pub(super) channels: usize,
    /// The servers' memory after a heartbeat of each, in bytes.
    pub(super) user_bytes: u64,
    /// The same after a message to each.
    pub(super) user_bytes_later: u64,
    /// By how much each of the kernel's caches has grown: both ends of all connections.
    pub(super) kernel: Vec<(String, i64)>,
    /// Processor time of the servers for each heartbeat, in microseconds.
    pub(super) heartbeat_us: f64,
    /// How late each delivery was, in microseconds, sorted.
    pub(super) late_us: Vec<u64>,
}

impl Stage {
    /// Runs the stage. Fails if a connection, a heartbeat or a message is missing, or comes twice.
    pub(super) fn run(&self, spanwire: &Spanwire) -> Result<Figures> {
        let mut herd = Herd::start(self, spanwire)?;
        herd.all(|_| Order::Seat { count: WARM_UP })?;
        let (user, slabs) = (herd.user_bytes()?, Slabs::look());
        let parts: Vec<Part> = herd.parts.clone();
        herd.all(|index| Order::Seat { count: parts[index].connections })?;
        herd.listen(self.ping)?;
        let (user_now, slabs_now) = (herd.user_bytes()?, Slabs::look());
        let heartbeat_us = herd.heartbeats(self.ping)?;
        let late_us = herd.publish()?;
        Ok(Figures {
            connections: self.whole.connections,
            channels: parts.iter().map(|part| new_channels(*part)).sum(),
            user_bytes: user_now.saturating_sub(user),
            user_bytes_later: herd.user_bytes()?.saturating_sub(user),
            kernel: slabs.zip(slabs_now).map_or(Vec::new(), |(before, now)| now.growth(&before)),
            heartbeat_us,
            late_us,
        })
    }
}

/// Channels that are not reached yet by the connections for warming up.
fn new_channels(part: Part) -> usize {
    part.channels_reached(0..WARM_UP + part.connections) - part.channels_reached(0..WARM_UP)
}

/// The processes of a stage. Flocks end before servers, so that no connection is lost to anybody.
struct Herd {
    flocks: Vec<Shepherd>,
    servers: Vec<Server>,
    parts: Vec<Part>,
}

impl Herd {
    /// Each server has a loopback address of its own: it refuses to share a port with another process, which
    /// would take half of its connections.
    fn start(stage: &Stage, spanwire: &Spanwire) -> Result<Herd> {
        let mut herd = Herd { flocks: Vec::new(), servers: Vec::new(), parts: Vec::new() };
        for index in 0..stage.processes {
            let part = stage.whole.share(index, stage.processes);
            let last =
                u8::try_from(index + 1).context("more processes than loopback addresses are set aside")?;
            let server = spanwire.start_at(Ipv4Addr::new(127, 0, 2, last), stage.ping.as_secs())?;
            let (address, channels, each) = (server.address, part.channels, part.each);
            herd.flocks.push(Shepherd::start(&FlockOptions { address, channels, each })?);
            herd.servers.push(server);
            herd.parts.push(part);
        }
        Ok(herd)
    }

    /// Gives each flock its order, then waits for all.
    fn all(&mut self, order: impl Fn(usize) -> Order) -> Result<Vec<Answer>> {
        for (index, flock) in self.flocks.iter_mut().enumerate() {
            flock.tell(order(index))?;
        }
        self.flocks.iter_mut().map(Shepherd::hear).collect()
    }

    /// Lets heartbeats go for so long; returns how many came.
    fn listen(&mut self, span: Duration) -> Result<u64> {
        let mut total = 0;
        for answer in self.all(|_| Order::Listen { ms: span.as_millis() as u64 })? {
            let Answer::Heard { pings } = answer else { bail!("a flock was to listen") };
            total += pings;
        }
        Ok(total)
    }

    /// Processor time for each heartbeat, over one interval of 25 s or two shorter ones.
    fn heartbeats(&mut self, ping: Duration) -> Result<f64> {
        let intervals = if ping.as_secs() < 25 { 2 } else { 1 };
        let cpu = self.cpu_time()?;
        let pings = self.listen(ping * intervals)?;
        let cpu = self.cpu_time()? - cpu;
        let connections: usize = self.parts.iter().map(|part| part.connections + WARM_UP).sum();
        let expected = connections as u64 * u64::from(intervals);
        ensure!(pings * 10 >= expected * 9, "only {pings} of {expected} heartbeats came");
        Ok(cpu.as_secs_f64() * 1e6 / pings as f64)
    }

    /// One message to each channel, and then silence.
    fn publish(&mut self) -> Result<Vec<u64>> {
        let mut all = Vec::new();
        for answer in self.all(|_| Order::Publish { ms: PUBLISHING.as_millis() as u64 })? {
            let Answer::Published { late_us } = answer else { bail!("a flock was to publish") };
            all.extend(late_us);
        }
        self.listen(SILENCE)?;
        all.sort_unstable();
        Ok(all)
    }

    fn user_bytes(&self) -> Result<u64> {
        self.servers.iter().map(|server| server.process.resident_bytes()).sum()
    }

    fn cpu_time(&self) -> Result<Duration> {
        self.servers.iter().map(|server| server.process.cpu_time()).sum()
    }
}

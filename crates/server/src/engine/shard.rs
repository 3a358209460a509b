//! A shard: its sessions, their sockets, the channels it owns, and the turn that moves all of them.

mod adopting;
mod ending;
mod failing;
mod lagging;
mod mail;
mod outputs;
mod piping;
mod reading;
mod round;
mod timing;
mod writing;

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use spanwire_hub::happening::Happening;
use spanwire_hub::time::Instant;
use spanwire_hub::{Hub, SessionId};
use spanwire_ws as ws;
use spanwire_ws::deflate::Inflater;
use tokio::sync::oneshot;

use super::EngineConfig;
use super::bus::Bus;
use super::clock::{Clock, Reading};
use super::connections::{Connections, Key};
use super::deadlines::Deadlines;
use super::few_lines::FewLines;
use super::handle::Shared;
use super::heartbeat::Rhythm;
use super::letter::{Born, Letter};
use super::limits::{ECHO_MESSAGE_BYTES_MAX, READ_BYTES};
use super::pipes::Pipes;
use super::poller::{Occurrence, Poller};
use super::stats::ShardStats;
use super::users::Users;
use super::writer::Writer;
use crate::auth::Authorize;
use crate::events::Events;
use round::Round;

/// One thread's part of the engine. A plain value: it waits for nothing, and reads no clock but for measuring.
pub(super) struct Shard {
    index: usize,
    shared: Arc<Shared>,
    authorize: Arc<dyn Authorize>,
    rules: Rules,
    clock: Clock,
    /// Now, for everything that happens in this turn.
    reading: Reading,
    hub: Hub,
    bus: Bus,
    poller: Poller,
    connections: Connections,
    pipes: Pipes,
    /// Piped sessions to look after. One may be there in vain, or twice.
    piped: VecDeque<SessionId>,
    users: Users,
    denials: FewLines,
    /// What the log is told of clients that lag.
    laggards: FewLines,
    deadlines: Deadlines,
    /// What every read goes to.
    scratch: Box<[u8]>,
    writer: Writer,
    /// What compressed messages are read with, whoever sent them.
    inflater: Inflater,
    round: Round,
    /// Connections to read from. A key may be there in vain, or twice; their connections know.
    ready: VecDeque<Key>,
    /// Connections to write to, besides those that the hub calls dirty.
    unwritten: VecDeque<Key>,
    /// Letters that were taken from the mailbox and not read yet.
    mail: VecDeque<Letter>,
    mailbox_rang: bool,
    /// When the publications were published that nobody has been written yet.
    births: Vec<Born>,
    /// What this turn has seen happen to clients, for whoever is told of it.
    happened: Vec<Happening>,
    /// The hub was told something after its outputs were taken.
    unheard: bool,
    chance: StdRng,
    life: Life,
}

/// What holds for all connections of a shard.
#[derive(Clone, Debug)]
struct Rules {
    session: ws::Limits,
    echo: ws::Limits,
    write_timeout: Duration,
    native_pings: Rhythm,
}

/// How far the shard's own end has come.
#[derive(Debug)]
enum Life {
    Serving,
    /// Those who wait are told when the last connection is gone.
    Draining(Vec<oneshot::Sender<()>>),
    Over,
}

/// What a shard wants after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Another turn: something is left to do.
    Again,
    /// A turn when its poller has something, or at this time.
    Rest(Instant),
    /// No more turns.
    Over,
}

impl Shard {
    /// A shard without connections.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new(
        index: usize,
        config: &EngineConfig,
        shared: Arc<Shared>,
        clock: Clock,
    ) -> io::Result<Self> {
        let mut chance = StdRng::from_seed(seed_of(index, config.seed));
        let (hub_seed, epochs) = (draw(&mut chance), draw(&mut chance));
        let mut reports = shared.events.as_ref().map(Events::reports).unwrap_or_default();
        reports.connections |= shared.onlooker.is_some();
        Ok(Self {
            index,
            authorize: config.authorize.clone(),
            rules: Rules::new(config),
            clock,
            reading: clock.read(),
            hub: Hub::new(config.hub.clone(), hub_seed).reporting(reports),
            bus: Bus::new(index, shared.clone(), epochs),
            poller: Poller::new(shared.mailboxes[index].bell())?,
            connections: Connections::default(),
            pipes: Pipes::default(),
            piped: VecDeque::new(),
            users: Users::new(shared.users.clone()),
            denials: FewLines::default(),
            laggards: FewLines::default(),
            deadlines: Deadlines::default(),
            scratch: vec![0; READ_BYTES].into(),
            writer: Writer::new(config.compression),
            inflater: Inflater::new(),
            round: Round::default(),
            ready: VecDeque::new(),
            unwritten: VecDeque::new(),
            mail: VecDeque::new(),
            mailbox_rang: false,
            births: Vec::new(),
            happened: Vec::new(),
            unheard: false,
            chance,
            life: Life::Serving,
            shared,
        })
    }

    /// A descriptor that is readable while the poller has something for a turn.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn poller_descriptor(&self) -> io::Result<OwnedFd> {
        self.poller.descriptor()
    }

    /// Takes what is ready, lets the hub decide, and writes what came of it: once to each connection.
    ///
    /// # Errors
    /// The poller failed, which no program can repair.
    pub(super) fn turn(&mut self, reading: Reading) -> io::Result<Pace> {
        self.reading = reading;
        self.unheard = false;
        self.stats().turns.one();
        let more_events = self.look(Duration::ZERO)?;
        self.read();
        self.read_mail();
        self.serve_pipes();
        self.keep_time();
        self.carry_out();
        let all_written = self.flush();
        self.measure();
        self.tell_events();
        let refusals = self.bus.dispatch();
        if all_written {
            self.round = Round::default();
        }
        let unfinished = more_events || refusals || self.unheard || !all_written || self.has_work();
        Ok(self.pace(unfinished))
    }

    /// Asks the poller what has happened, and keeps it in mind. Whether there may be more.
    fn look(&mut self, patience: Duration) -> io::Result<bool> {
        self.poller.look(patience, |occurrence| match occurrence {
            Occurrence::Mail => self.mailbox_rang = true,
            Occurrence::Connection { key, readable, ended, writable } => {
                let Some(connection) = self.connections.get_mut(key) else { return };
                if readable && connection.wake_reading(ended) {
                    self.ready.push_back(key);
                }
                if writable && connection.wake_writing() {
                    self.unwritten.push_back(key);
                }
            }
        })
    }

    fn has_work(&self) -> bool {
        let queued = self.ready.is_empty() && self.piped.is_empty() && self.unwritten.is_empty();
        !queued || !self.mail.is_empty() || self.mailbox_rang
    }

    fn pace(&mut self, unfinished: bool) -> Pace {
        match &mut self.life {
            Life::Over => return Pace::Over,
            Life::Draining(waiting) if self.connections.len() + self.pipes.len() == 0 => {
                for waiting in waiting.drain(..) {
                    // Whoever gave up waiting does not want to know.
                    let _ = waiting.send(());
                }
            }
            Life::Draining(_) | Life::Serving => {}
        }
        if unfinished { Pace::Again } else { Pace::Rest(self.next_deadline()) }
    }

    /// One sample for each publication that this turn has written to somebody for the first time.
    fn measure(&mut self) {
        if self.births.is_empty() {
            return;
        }
        let micros = self.clock.micros();
        for Born(born) in self.births.drain(..) {
            self.shared.stats[self.index].publish_to_write.record(micros.saturating_sub(born));
        }
    }

    /// Whoever keeps account of the lives of clients is told what this turn has seen of them.
    fn tell_events(&mut self) {
        if self.happened.is_empty() {
            return;
        }
        if let Some(onlooker) = &self.shared.onlooker {
            self.happened.iter().for_each(|happening| onlooker.see(happening));
        }
        match &self.shared.events {
            Some(events) => events.tell(self.reading.now.unix_ms, self.happened.drain(..)),
            None => self.happened.clear(),
        }
    }

    fn stats(&self) -> &ShardStats {
        &self.shared.stats[self.index]
    }
}

/// However a shard ends, whoever waits for it must know.
impl Drop for Shard {
    fn drop(&mut self) {
        self.shared.mailboxes[self.index].close();
    }
}

impl Rules {
    fn new(config: &EngineConfig) -> Self {
        let limits =
            |bytes| ws::Limits { frame_bytes_max: bytes, message_bytes_max: bytes, ..ws::Limits::default() };
        Self {
            session: limits(config.message_bytes_max),
            echo: ws::Limits { fragments_max: u32::MAX, ..limits(ECHO_MESSAGE_BYTES_MAX) },
            write_timeout: config.write_timeout,
            native_pings: Rhythm {
                interval: config.hub.limits.ping_interval,
                timeout: config.hub.limits.pong_timeout,
            },
        }
    }
}

/// Shards draw from one seed, each its own.
fn seed_of(index: usize, mut seed: [u8; 32]) -> [u8; 32] {
    for (byte, own) in seed.iter_mut().zip((index as u64).to_le_bytes()) {
        *byte ^= own;
    }
    seed
}

fn draw(chance: &mut StdRng) -> [u8; 32] {
    let mut drawn = [0; 32];
    chance.fill_bytes(&mut drawn);
    drawn
}

#[cfg(test)]
pub(super) mod tests;

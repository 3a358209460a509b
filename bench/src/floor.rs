//! The bare-epoll floor: the least a server can do for the same load.
//!
//! A slab of sockets under one epoll set, one scratch buffer, and as much of the protocol as the load
//! speaks, recognised by its shape. It has no limits, no history, no recovery and trusts its only client;
//! what a real server costs beyond it is the price of being one.

mod async_fd;
mod channels;
mod member;
mod own_loop;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use slab::Slab;

use crate::frame::{self, Frame};
use crate::greeting;
use crate::poller::Poller;
use channels::Channels;
use member::Request;

/// Number of the listener in the epoll set; peers have theirs from the slab.
const LISTENER: u64 = u64::MAX;
/// Bytes read from a socket at once.
const SCRATCH_BYTES: usize = 256 * 1024;
/// Most bytes kept of a frame or request that is not whole.
const REST_MAX: usize = SCRATCH_BYTES / 2;

/// How publications are written to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Writing {
    /// One system call for each.
    Each,
    /// One system call for all of a turn, from one contiguous slab that subscribers share.
    Slab,
}

/// Who waits for the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Waiting {
    /// A loop of its own, which blocks in `epoll_wait`.
    Own,
    /// A tokio runtime, to which the epoll set is one `AsyncFd`.
    AsyncFd,
}

/// How a floor runs.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FloorOptions {
    /// Where to listen.
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// How publications are written.
    #[arg(long, value_enum, default_value = "slab")]
    pub(crate) writing: Writing,
    /// Who waits for the sockets.
    #[arg(long, value_enum, default_value = "own")]
    pub(crate) waiting: Waiting,
    /// Seconds between heartbeats of a connection; 0 sends none. The own loop only.
    #[arg(long, default_value_t = 0)]
    pub(crate) ping: u64,
}

/// Runs a floor until the process is ended.
pub(crate) fn run(options: &FloorOptions) -> Result<()> {
    let floor = Floor::new(options)?;
    println!("{}", crate::process::READY);
    match options.waiting {
        Waiting::Own => own_loop::run(floor, Duration::from_secs(options.ping)),
        Waiting::AsyncFd => async_fd::run(floor),
    }
}

/// The state of a floor: what is ready is the business of the loop around it.
struct Floor {
    poller: Poller,
    listener: TcpListener,
    peers: Slab<Peer>,
    channels: Channels,
    /// Starts of requests and frames whose rest has not come.
    rests: HashMap<usize, Vec<u8>>,
    scratch: Vec<u8>,
    /// What is owed to the peer being read.
    owed: Vec<u8>,
    writing: Writing,
}

struct Peer {
    stream: TcpStream,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Echo,
    Member,
}

impl Floor {
    fn new(options: &FloorOptions) -> Result<Floor> {
        let listener = TcpListener::bind(options.address).context("the floor cannot listen")?;
        listener.set_nonblocking(true)?;
        let poller = Poller::new()?;
        poller.watch(&listener, LISTENER)?;
        Ok(Floor {
            poller,
            listener,
            peers: Slab::new(),
            channels: Channels::default(),
            rests: HashMap::new(),
            scratch: vec![0; SCRATCH_BYTES],
            owed: Vec::new(),
            writing: options.writing,
        })
    }

    /// One turn: reads each of the `count` sockets that the poller found ready once, then writes what was
    /// published.
    fn turn(&mut self, count: usize) -> Result<()> {
        for index in 0..count {
            match self.poller.ready(index) {
                LISTENER => self.accept()?,
                peer => self.serve(peer as usize),
            }
        }
        self.publish();
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let seat = self.peers.vacant_entry();
                    self.poller.watch(&stream, seat.key() as u64)?;
                    seat.insert(Peer { stream, stage: Stage::Greeting });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error).context("the floor cannot accept"),
            }
        }
    }

    /// Reads once and answers in one write. A peer that errs, or is gone, is dropped.
    fn serve(&mut self, key: usize) {
        if self.try_serve(key).is_err() {
            self.peers.remove(key);
            self.rests.remove(&key);
            self.channels.leave(key as u32);
        }
    }

    fn try_serve(&mut self, key: usize) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let kept = self.rests.remove(&key).map_or(0, |rest| {
            scratch[..rest.len()].copy_from_slice(&rest);
            rest.len()
        });
        let outcome = match (&self.peers[key].stream).read(&mut scratch[kept..]) {
            Ok(0) => Err(anyhow::anyhow!("gone")),
            Ok(count) => self.digest(key, &mut scratch[..kept + count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep(key, &scratch[..kept]),
            Err(error) => Err(error.into()),
        };
        self.scratch = scratch;
        outcome?;
        if !self.owed.is_empty() {
            let written = (&self.peers[key].stream).write_all(&self.owed);
            self.owed.clear();
            written?;
        }
        Ok(())
    }

    fn digest(&mut self, key: usize, bytes: &mut [u8]) -> Result<()> {
        let mut at = 0;
        if self.peers[key].stage == Stage::Greeting {
            let Some(end) = greeting::head_end(bytes) else { return self.keep(key, bytes) };
            self.peers[key].stage =
                if bytes.starts_with(b"GET /echo ") { Stage::Echo } else { Stage::Member };
            self.owed.extend_from_slice(greeting::acceptance().as_bytes());
            at = end;
        }
        while let Some(frame) = Frame::read(bytes, at) {
            at = frame.end();
            let payload = &mut bytes[frame.payload];
            frame::unmask(payload, frame.mask.context("a client's frame is masked")?);
            ensure!(matches!(frame.opcode, frame::TEXT | frame::BINARY), "the load sends no control frames");
            match self.peers[key].stage {
                Stage::Echo => frame::write(&mut self.owed, frame.opcode, payload),
                _ => self.request(key, payload)?,
            }
        }
        self.keep(key, &bytes[at..])
    }

    fn request(&mut self, key: usize, command: &[u8]) -> Result<()> {
        match member::read(command).context("not a command of the load")? {
            Request::Pong => return Ok(()),
            Request::Connect => {}
            Request::Subscribe { channel } => self.channels.join(channel, key as u32),
            Request::Publish { channel, data } => self.channels.publish(channel, data),
        }
        member::write_reply(&mut self.owed, command);
        Ok(())
    }

    /// Writes this turn's publications to all subscribers. One that does not take them at once is left
    /// with a hole, which the load notices: it counts.
    fn publish(&mut self) {
        let Floor { channels, peers, writing, .. } = self;
        channels.each_published(|subscriber, frames, ends| {
            let mut stream = &peers[subscriber as usize].stream;
            match writing {
                Writing::Slab => drop(stream.write(frames)),
                Writing::Each => {
                    let mut start = 0;
                    for &end in ends {
                        drop(stream.write(&frames[start..end]));
                        start = end;
                    }
                }
            }
        });
    }

    /// Sends the protocol's ping to those peers whose turn it is: every `slots`th, beginning with `slot`.
    fn ping(&mut self, slot: usize, slots: usize) {
        const PING: [u8; 4] = [0x81, 2, b'{', b'}'];
        for (key, peer) in &self.peers {
            if key % slots == slot && peer.stage == Stage::Member {
                drop((&peer.stream).write(&PING));
            }
        }
    }

    fn keep(&mut self, key: usize, rest: &[u8]) -> Result<()> {
        ensure!(rest.len() <= REST_MAX, "an overlong frame");
        if !rest.is_empty() {
            self.rests.insert(key, rest.to_vec());
        }
        Ok(())
    }
}

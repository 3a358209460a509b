//! Many WebSocket clients on one thread: the load.
//!
//! One epoll loop, one scratch buffer, no task and no buffer per client, so that the load's own cost stays
//! small and equal for whatever it is pointed at.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{AddressFamily, SocketType};
use slab::Slab;

use crate::frame::{self, Frame};
use crate::greeting;
use crate::poller::Poller;

/// Most handshakes under way at once: below the listen backlog of 128 that many servers have, so that no
/// SYN is dropped and retried a second later.
const PENDING_MAX: usize = 100;
/// Longest that any guests may take to be seated.
const SEATING_MAX: Duration = Duration::from_secs(60);
/// Source addresses the clients share: each has only about 28,000 ports.
const SOURCES: usize = 100;
/// Bytes read from a socket at once.
const SCRATCH_BYTES: usize = 256 * 1024;
/// Most bytes of an unfinished frame kept for a client.
const REST_MAX: usize = SCRATCH_BYTES / 2;
/// The protocol's pong, `{}`, masked with zeroes so that it is a constant.
const PONG: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'{', b'}'];

/// Who is to be seated: how many clients, and what each says when it has been let in.
pub(crate) struct Guests<'a> {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// Path of the WebSocket.
    pub(crate) path: &'a str,
    /// How many.
    pub(crate) count: usize,
    /// Commands that each sends at once after the handshake, one frame each; the client is seated when
    /// as many replies have come. Without commands it is seated by the handshake, and what it hears later
    /// is handed on as it is, not as lines of the protocol.
    pub(crate) commands: &'a [String],
}

/// A set of clients. Until one leaves, they are numbered from 0 in the order in which they came.
pub(crate) struct Crowd {
    poller: Poller,
    clients: Slab<Client>,
    /// The starts of frames whose rest has not come yet. Rare, so kept apart from the clients.
    rests: HashMap<usize, Vec<u8>>,
    scratch: Vec<u8>,
    /// How many clients were ever let in: it chooses the next one's source address.
    entered: usize,
    /// Bytes read since the crowd was made.
    pub(crate) bytes_read: u64,
    /// The server's pings that were answered since the crowd was made.
    pub(crate) pings: u64,
}

struct Client {
    stream: TcpStream,
    stage: Stage,
    speaks_lines: bool,
}

/// What a client sends once it has been let in, and how many replies it then awaits.
#[derive(Default)]
struct Hello {
    frames: Vec<u8>,
    replies: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for the answer to its upgrade request.
    Upgrading,
    /// Waits for this many replies to its commands.
    Joining(usize),
    Seated,
}

impl Crowd {
    /// A crowd without clients.
    pub(crate) fn new() -> Result<Crowd> {
        Ok(Crowd {
            poller: Poller::new()?,
            clients: Slab::new(),
            rests: HashMap::new(),
            scratch: vec![0; SCRATCH_BYTES],
            entered: 0,
            bytes_read: 0,
            pings: 0,
        })
    }

    /// Connects `guests` and returns when each has its seat. Fails if one is refused, or late.
    pub(crate) fn seat(&mut self, guests: &Guests<'_>) -> Result<()> {
        self.admit(guests, |_, _| {})
    }

    /// Connects `guests`, of whom each hangs up as soon as it has its seat.
    pub(crate) fn pass_through(&mut self, guests: &Guests<'_>) -> Result<()> {
        self.admit(guests, |crowd, number| {
            crowd.clients.remove(number);
            crowd.rests.remove(&number);
        })
    }

    fn admit(&mut self, guests: &Guests<'_>, mut once_seated: impl FnMut(&mut Crowd, usize)) -> Result<()> {
        let frames = guests.commands.iter().flat_map(|command| frame::text(command)).collect();
        let hello = Hello { frames, replies: guests.commands.len() };
        let deadline = Instant::now() + SEATING_MAX;
        let (first, mut seated) = (self.entered, 0);
        while seated < guests.count {
            while self.entered - first < guests.count.min(seated + PENDING_MAX) {
                self.enter(guests)?;
            }
            ensure!(
                Instant::now() < deadline,
                "only {seated} of {} clients got their seat within {SEATING_MAX:?}",
                guests.count
            );
            let count = self.poller.wait(Some(deadline))?;
            for index in 0..count {
                let number = self.poller.ready(index) as usize;
                let before = self.clients[number].stage;
                self.read(number, &hello, &mut |_, _| {})?;
                if before != Stage::Seated && self.clients[number].stage == Stage::Seated {
                    seated += 1;
                    once_seated(self, number);
                }
            }
        }
        Ok(())
    }

    /// Waits until something comes or it is `until`, and passes on what came: `hear(client, message)`, where a
    /// message is one line of the protocol, or the whole payload for guests without commands. The
    /// server's pings are answered here and not passed on.
    pub(crate) fn turn(&mut self, until: Instant, hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        let count = self.poller.wait(Some(until))?;
        let nothing = Hello::default();
        for index in 0..count {
            self.read(self.poller.ready(index) as usize, &nothing, hear)?;
        }
        Ok(())
    }

    /// Sends `frames` at once. A server that does not take them is an error: no load here is large enough
    /// to fill a socket's buffer that is being read.
    pub(crate) fn send(&mut self, client: usize, frames: &[u8]) -> Result<()> {
        (&self.clients[client].stream)
            .write_all(frames)
            .with_context(|| format!("the server does not take what client {client} sends"))
    }

    fn enter(&mut self, guests: &Guests<'_>) -> Result<()> {
        let stream = connect(guests.address, self.entered)?;
        let seat = self.clients.vacant_entry();
        self.poller.watch(&stream, seat.key() as u64)?;
        (&stream).write_all(greeting::request(guests.path).as_bytes()).context("cannot send a handshake")?;
        let speaks_lines = !guests.commands.is_empty();
        seat.insert(Client { stream, stage: Stage::Upgrading, speaks_lines });
        self.entered += 1;
        Ok(())
    }

    /// Reads once from a client's socket and works through all whole frames.
    fn read(&mut self, number: usize, hello: &Hello, hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let kept = self.rests.remove(&number).unwrap_or_default();
        scratch[..kept.len()].copy_from_slice(&kept);
        let read = (&self.clients[number].stream).read(&mut scratch[kept.len()..]);
        let outcome = match read {
            Ok(0) => bail!("the server hung up on client {number}"),
            Ok(count) => {
                self.bytes_read += count as u64;
                self.digest(number, &scratch[..kept.len() + count], hello, hear)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep(number, &kept),
            Err(error) => Err(error).with_context(|| format!("cannot read for client {number}")),
        };
        self.scratch = scratch;
        outcome
    }

    fn digest(
        &mut self,
        number: usize,
        bytes: &[u8],
        hello: &Hello,
        hear: &mut impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let mut at = 0;
        if self.clients[number].stage == Stage::Upgrading {
            let Some(end) = greeting::head_end(bytes) else {
                ensure!(bytes.len() < greeting::ANSWER_MAX, "an answer to a handshake has no end");
                return self.keep(number, bytes);
            };
            ensure!(greeting::accepts(&bytes[..end]), "refused: {}", first_line(bytes));
            at = end;
            self.clients[number].stage = match hello.replies {
                0 => Stage::Seated,
                replies => Stage::Joining(replies),
            };
            self.send(number, &hello.frames)?;
        }
        while let Some(frame) = Frame::read(bytes, at) {
            at = frame.end();
            let payload = &bytes[frame.payload.clone()];
            match frame.opcode {
                frame::TEXT | frame::BINARY => self.message(number, payload, hear)?,
                frame::PING => {
                    let mut pong = Vec::new();
                    frame::write_masked(&mut pong, frame::PONG, payload);
                    self.send(number, &pong)?;
                }
                frame::PONG => {}
                frame::CLOSE => bail!("the server closed client {number}: {}", reason(payload)),
                other => bail!("client {number} got a frame with opcode {other}, which we do not expect"),
            }
        }
        self.keep(number, &bytes[at..])
    }

    fn message(&mut self, number: usize, payload: &[u8], hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        if !self.clients[number].speaks_lines {
            hear(number, payload);
            return Ok(());
        }
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', payload).chain([payload.len()]) {
            let line = &payload[from..end];
            from = end + 1;
            match line {
                b"" => {}
                b"{}" => {
                    self.send(number, PONG)?;
                    self.pings += 1;
                }
                _ => self.line(number, line, hear)?,
            }
        }
        Ok(())
    }

    fn line(&mut self, number: usize, line: &[u8], hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        if !line.starts_with(br#"{"id":"#) {
            hear(number, line);
            return Ok(());
        }
        if memchr::memmem::find(line, br#""error":"#).is_some() {
            bail!("client {number} was answered {}", String::from_utf8_lossy(line));
        }
        match &mut self.clients[number].stage {
            Stage::Joining(1) => self.clients[number].stage = Stage::Seated,
            Stage::Joining(left) => *left -= 1,
            Stage::Seated | Stage::Upgrading => hear(number, line),
        }
        Ok(())
    }

    fn keep(&mut self, number: usize, rest: &[u8]) -> Result<()> {
        ensure!(rest.len() <= REST_MAX, "client {number} got an overlong frame");
        if !rest.is_empty() {
            self.rests.insert(number, rest.to_vec());
        }
        Ok(())
    }
}

/// Connects from one of several loopback addresses, so that ports do not run out. Blocks while the kernel
/// does its three steps; the server need not have run yet.
fn connect(address: SocketAddr, number: usize) -> Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)
        .context("cannot open a socket (is the limit of descriptors too low?)")?;
    let source = Ipv4Addr::new(127, 0, 1, 1 + (number % SOURCES) as u8);
    rustix::net::bind(&socket, &SocketAddrV4::new(source, 0)).context("no free source port")?;
    rustix::net::connect(&socket, &address).with_context(|| format!("cannot connect to {address}"))?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}

/// The code and text of a close frame (RFC 6455 section 5.5.1).
fn reason(payload: &[u8]) -> String {
    match payload {
        [high, low, text @ ..] => {
            format!("{} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(text))
        }
        _ => "no code".to_owned(),
    }
}

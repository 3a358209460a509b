//! Many WebSocket clients on one thread: the load.
//!
//! One epoll loop, one scratch buffer, no task and no buffer per client, so that the load's own cost stays
//! small and equal for whatever it is pointed at.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{AddressFamily, SocketType};
use rustls::ClientConfig;
use slab::Slab;

use crate::frame::{self, Frame};
use crate::greeting;
use crate::inflate::Inflater;
use crate::poller::Poller;
use crate::subject::Server;
use crate::tongue::{Saying, Tongue};
use crate::wire::Wire;

/// Most handshakes under way at once, unless guests ask for more: below the listen backlog of 128 that many
/// servers have, so that no SYN is dropped and retried a second later.
const PENDING: usize = 100;
/// Longest that any guests may take to be seated.
const SEATING_MAX: Duration = Duration::from_secs(60);
/// Source addresses the clients share: each has only about 28,000 ports.
pub(crate) const SOURCES: usize = 100;
/// Bytes read from a socket at once.
const SCRATCH_BYTES: usize = 256 * 1024;
/// Most bytes of an unfinished frame kept for a client.
const REST_MAX: usize = SCRATCH_BYTES / 2;

/// Who is to be seated: how many clients, and what each says when it has been let in.
#[derive(Clone, Copy)]
pub(crate) struct Guests<'a> {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// Whom they trust, if they speak TLS.
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    /// Path of the WebSocket.
    pub(crate) path: &'a str,
    /// How they speak.
    pub(crate) tongue: Tongue,
    /// How many.
    pub(crate) count: usize,
    /// The frames that the client with this number sends at once after the handshake, a command in each; it is
    /// seated when as many replies have come. Without any it is seated by the handshake.
    pub(crate) hello: &'a dyn Fn(usize) -> Vec<Vec<u8>>,
    /// Most handshakes under way at once.
    pub(crate) pending: usize,
    /// Whether they offer compression.
    pub(crate) compressed: bool,
}

impl<'a> Guests<'a> {
    /// Guests that speak the protocol and come in orderly.
    pub(crate) fn new(
        address: SocketAddr,
        tongue: Tongue,
        count: usize,
        hello: &'a dyn Fn(usize) -> Vec<Vec<u8>>,
    ) -> Guests<'a> {
        Guests {
            address,
            tls: None,
            path: tongue.path(),
            tongue,
            count,
            hello,
            pending: PENDING,
            compressed: false,
        }
    }

    /// The same at a server, over TLS if it speaks that.
    pub(crate) fn of(server: &'a Server, tongue: Tongue, count: usize, hello: Hello<'a>) -> Guests<'a> {
        Guests { tls: server.trust.as_ref(), ..Guests::new(server.address, tongue, count, hello) }
    }
}

/// A set of clients. Until one leaves, they are numbered from 0 in the order in which they came.
pub(crate) struct Crowd {
    poller: Poller,
    clients: Slab<Client>,
    /// The starts of frames whose rest has not come yet. Rare, so kept apart from the clients.
    rests: HashMap<usize, Vec<u8>>,
    scratch: Vec<u8>,
    inflater: Inflater,
    /// How many clients were ever let in: it chooses the next one's source address.
    entered: usize,
    /// Bytes read since the crowd was made.
    pub(crate) bytes_read: u64,
    /// The server's pings that were answered since the crowd was made.
    pub(crate) pings: u64,
}

struct Client {
    wire: Wire,
    stage: Stage,
    tongue: Tongue,
}

/// What newcomers say.
type Hello<'a> = &'a dyn Fn(usize) -> Vec<Vec<u8>>;

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
            inflater: Inflater::new(),
            entered: 0,
            bytes_read: 0,
            pings: 0,
        })
    }

    /// Connects `guests` and returns when each has its seat. Fails if one is refused, or late.
    pub(crate) fn seat(&mut self, guests: &Guests<'_>) -> Result<()> {
        self.admit(guests, |_, _| {}, &mut |_, _| {})
    }

    /// Connects `guests`, and passes on what comes meanwhile as [`turn`](Self::turn) does, with the replies to
    /// what they say first.
    pub(crate) fn seat_and_hear(
        &mut self,
        guests: &Guests<'_>,
        hear: &mut impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        self.admit(guests, |_, _| {}, hear)
    }

    /// Connects `guests`, of whom each hangs up as soon as it has its seat.
    pub(crate) fn pass_through(&mut self, guests: &Guests<'_>) -> Result<()> {
        let leave = |crowd: &mut Crowd, number| {
            crowd.clients.remove(number);
            crowd.rests.remove(&number);
        };
        self.admit(guests, leave, &mut |_, _| {})
    }

    fn admit(
        &mut self,
        guests: &Guests<'_>,
        mut once_seated: impl FnMut(&mut Crowd, usize),
        hear: &mut impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let deadline = Instant::now() + SEATING_MAX;
        let (first, mut seated) = (self.entered, 0);
        while seated < guests.count {
            while self.entered - first < guests.count.min(seated + guests.pending) {
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
                self.read(number, guests.hello, hear)?;
                if before != Stage::Seated && self.clients[number].stage == Stage::Seated {
                    seated += 1;
                    once_seated(self, number);
                }
            }
        }
        Ok(())
    }

    /// Waits until something comes or it is `until`, and passes on what came: `hear(client, message)`, where a
    /// message is one reply or push of the protocol, or a whole payload for guests that speak none. The
    /// server's pings are answered here and not passed on.
    pub(crate) fn turn(&mut self, until: Instant, hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        let count = self.poller.wait(Some(until))?;
        for index in 0..count {
            self.read(self.poller.ready(index) as usize, &|_| Vec::new(), hear)?;
        }
        Ok(())
    }

    /// Sends `frames`, and waits where the socket's buffer is full until the server has read from it.
    pub(crate) fn send(&mut self, client: usize, frames: &[u8]) -> Result<()> {
        self.clients[client].wire.send(frames).with_context(|| format!("client {client} cannot send"))
    }

    fn enter(&mut self, guests: &Guests<'_>) -> Result<()> {
        let mut wire = Wire::new(connect(guests.address, self.entered)?, guests.tls)?;
        let seat = self.clients.vacant_entry();
        self.poller.watch(&wire.stream, seat.key() as u64)?;
        wire.send(greeting::request(guests.path, guests.compressed).as_bytes())
            .context("cannot send a handshake")?;
        seat.insert(Client { wire, stage: Stage::Upgrading, tongue: guests.tongue });
        self.entered += 1;
        Ok(())
    }

    /// Reads once from a client's socket and works through all whole frames.
    fn read(&mut self, number: usize, hello: Hello<'_>, hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let kept = self.rests.remove(&number).unwrap_or_default();
        scratch[..kept.len()].copy_from_slice(&kept);
        let read = self.clients[number].wire.read(&mut scratch[kept.len()..]);
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
        hello: Hello<'_>,
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
            let frames = hello(number);
            self.clients[number].stage = match frames.len() {
                0 => Stage::Seated,
                replies => Stage::Joining(replies),
            };
            self.send(number, &frames.concat())?;
        }
        while let Some(frame) = Frame::read(bytes, at) {
            at = frame.end();
            let payload = &bytes[frame.payload.clone()];
            match frame.opcode {
                frame::TEXT | frame::BINARY if frame.compressed => {
                    let message = self.inflater.inflate(payload)?.to_vec();
                    self.message(number, &message, hear)?;
                }
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

    /// Works through a frame's payload, which may hold several replies and pushes.
    fn message(&mut self, number: usize, payload: &[u8], hear: &mut impl FnMut(usize, &[u8])) -> Result<()> {
        let tongue = self.clients[number].tongue;
        let mut rest = payload;
        while !rest.is_empty() {
            let (saying, behind) = tongue.split(rest)?;
            rest = behind;
            match tongue.hear(saying) {
                Saying::Nothing => {}
                Saying::Ping => {
                    self.send(number, tongue.pong())?;
                    self.pings += 1;
                }
                Saying::Refusal => bail!("client {number} was answered {}", String::from_utf8_lossy(saying)),
                Saying::Reply => {
                    self.count_reply(number);
                    hear(number, saying);
                }
                Saying::Push => hear(number, saying),
            }
        }
        Ok(())
    }

    fn count_reply(&mut self, number: usize) {
        match &mut self.clients[number].stage {
            Stage::Joining(1) => self.clients[number].stage = Stage::Seated,
            Stage::Joining(left) => *left -= 1,
            Stage::Seated | Stage::Upgrading => {}
        }
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
pub(crate) fn connect(address: SocketAddr, number: usize) -> Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)
        .context("cannot open a socket (is the limit of descriptors too low?)")?;
    let source = Ipv4Addr::new(127, 0, 1, 1 + (number % SOURCES) as u8);
    rustix::net::bind(&socket, &SocketAddrV4::new(source, 0)).context("no free source port")?;
    rustix::net::connect(&socket, &address).with_context(|| format!("cannot connect to {address}"))?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
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

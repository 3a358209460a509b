//! A WebSocket over a socket that never blocks, and that can be treated badly.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer};
use spanwire_ws::{Connection, Event, HeadLimits, Input, Limits, Opcode, Role, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// Longest message that is taken from the server, in bytes: a recovery can be as large as an outbox.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Where a crowd finds its server.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// What stands in the `Host` header.
    pub host: String,
    /// The path of its WebSocket endpoint.
    pub path: String,
}

impl Target {
    /// A server at this address, by the names that it has of itself.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, host: address.to_string(), path: "/connection/websocket".to_owned() }
    }
}

/// What came over a line.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message.
    Text(String),
    /// The server's last word: the close code, and why.
    Closed(u32, String),
}

/// One open WebSocket.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    connection: Connection,
    /// What was read; as much of it as an incomplete read leaves is with the connection.
    scratch: Vec<u8>,
    /// How much of the scratch came with the answer to the handshake, and has not been taken yet.
    fresh: usize,
    /// What the socket has not taken yet; bounded by what the client may keep.
    unsent: Vec<u8>,
    /// Nothing is read before.
    deaf_until: Option<Instant>,
    chance: StdRng,
}

impl Line {
    /// Connects and shakes hands.
    pub(super) async fn dial(
        target: Target,
        receive_bytes: Option<u32>,
        mut chance: StdRng,
    ) -> io::Result<Self> {
        let mut stream = connect(target.address, receive_bytes).await?;
        let offer = Offer {
            host: &target.host,
            target: &target.path,
            subprotocols: &[],
            headers: &[],
            deflate: None,
        };
        let handshake = Handshake::new(offer, chance.random()).map_err(io::Error::other)?;
        let mut request = Vec::new();
        handshake.encode_into(&mut request);
        stream.write_all(&request).await?;
        let mut scratch = vec![0; READ_BYTES];
        let fresh = shake_hands(&mut stream, &handshake, &mut scratch).await?;
        let connection = Connection::new(Role::Client);
        let chance = StdRng::from_rng(&mut chance);
        Ok(Self { stream, connection, scratch, fresh, unsent: Vec::new(), deaf_until: None, chance })
    }

    /// Reads nothing for a while.
    pub(super) fn be_deaf(&mut self, how_long: Duration) {
        self.deaf_until = Some(Instant::now() + how_long);
    }

    /// Sends a message, as far as the socket takes it; the rest goes out while [`Line::hear`] waits.
    pub(super) fn send(&mut self, text: &[u8]) {
        frame::client_frame_into(&mut self.unsent, Opcode::Text, text, self.chance.random());
        self.write();
    }

    /// Whatever comes next. Nothing is lost when this is dropped while it waits.
    ///
    /// # Errors
    /// The connection is over without a word, or the server breaks RFC 6455.
    pub(super) async fn hear(&mut self) -> io::Result<Vec<Heard>> {
        if let Some(until) = self.deaf_until {
            tokio::time::sleep_until(until).await;
            self.deaf_until = None;
        }
        loop {
            let count = match std::mem::take(&mut self.fresh) {
                0 => self.read().await?,
                fresh => fresh,
            };
            let heard = self.digest(count)?;
            if !heard.is_empty() {
                return Ok(heard);
            }
        }
    }

    /// Goes without a word: RST.
    pub(super) fn reset(self) {
        // Without lingering, closing a socket resets the connection. If that is refused, it is a FIN.
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    async fn read(&mut self) -> io::Result<usize> {
        loop {
            let interest = match self.unsent.is_empty() {
                true => Interest::READABLE,
                false => Interest::READABLE | Interest::WRITABLE,
            };
            if self.stream.ready(interest).await?.is_writable() {
                self.write();
            }
            match self.stream.try_read(&mut self.scratch) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self) {
        // A broken connection says so at the next read.
        if let Ok(count) = self.stream.try_write(&self.unsent) {
            self.unsent.drain(..count);
        }
    }

    fn digest(&mut self, count: usize) -> io::Result<Vec<Heard>> {
        let limits = Limits {
            frame_bytes_max: MESSAGE_BYTES_MAX,
            message_bytes_max: MESSAGE_BYTES_MAX,
            ..Limits::default()
        };
        let mut input = Input::new(&mut self.scratch[..count]);
        let (mut heard, mut pongs) = (Vec::new(), Vec::new());
        let broken = |sin: spanwire_ws::PeerError| io::Error::new(io::ErrorKind::InvalidData, sin.reason());
        while let Some(event) = self.connection.next(&mut input, &limits).map_err(broken)? {
            match event {
                Event::Text(text) => heard.push(Heard::Text(text.to_owned())),
                Event::Ping(payload) => {
                    frame::client_frame_into(&mut pongs, Opcode::Pong, payload, self.chance.random());
                }
                Event::Close(close) => {
                    // 1005 stands for a close frame without a code (RFC 6455, section 7.1.5).
                    let code = close.code().map_or(1005, |code| u32::from(code.number()));
                    heard.push(Heard::Closed(code, close.reason().to_owned()));
                }
                Event::Binary(_) | Event::Pong(_) => {}
            }
        }
        if !pongs.is_empty() {
            self.unsent.extend_from_slice(&pongs);
            self.write();
        }
        Ok(heard)
    }
}

async fn connect(address: SocketAddr, receive_bytes: Option<u32>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads the answer, and leaves what came behind it at the front of the scratch; the result is how much that is.
async fn shake_hands(
    stream: &mut TcpStream,
    handshake: &Handshake<'_>,
    scratch: &mut [u8],
) -> io::Result<usize> {
    let mut length = 0;
    loop {
        // A full scratch is longer than any head may be, and is refused below.
        let count = stream.read(&mut scratch[length..]).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        length += count;
        let refused = |error: AnswerError| io::Error::new(io::ErrorKind::ConnectionRefused, error);
        let welcome = handshake.verify(&scratch[..length], &HeadLimits::default()).map_err(refused)?;
        if let Some(welcome) = welcome {
            let fresh = welcome.leftover.len();
            scratch.copy_within(length - fresh..length, 0);
            return Ok(fresh);
        }
    }
}

//! A WebSocket over a wire that never blocks, and that can be treated badly.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer};
use spanwire_ws::{Connection, Event, HeadLimits, Input, Limits, Opcode, Role, frame};
use tokio::time::Instant;

use super::wire::Wire;
use crate::cli::trust::Trust;

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
    /// The name that its certificate must have, if TLS is spoken.
    pub(super) name: String,
    /// Who may vouch for that.
    pub(super) trust: Trust,
}

impl Target {
    /// A server without TLS at this address, by the names that it has of itself.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            path: "/connection/websocket".to_owned(),
            name: address.ip().to_string(),
            trust: Trust::nobody(),
        }
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
    wire: Wire,
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
        let mut wire = Wire::connect(&target, receive_bytes).await?;
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
        let mut scratch = vec![0; READ_BYTES];
        let fresh = shake_hands(&mut wire, &handshake, &mut request, &mut scratch).await?;
        let connection = Connection::new(Role::Client);
        let chance = StdRng::from_rng(&mut chance);
        Ok(Self { wire, connection, scratch, fresh, unsent: Vec::new(), deaf_until: None, chance })
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
        let _ = socket2::SockRef::from(self.wire.socket()).set_linger(Some(Duration::ZERO));
    }

    async fn read(&mut self) -> io::Result<usize> {
        read(&mut self.wire, &mut self.unsent, &mut self.scratch).await
    }

    fn write(&mut self) {
        write(&mut self.wire, &mut self.unsent);
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

/// Writes what the wire takes. A broken connection says so at the next read.
fn write(wire: &mut Wire, unsent: &mut Vec<u8>) {
    if unsent.is_empty() {
        return;
    }
    if let Ok(count) = wire.try_write(unsent) {
        unsent.drain(..count);
    }
}

/// Waits for something to read, and writes meanwhile. The end is an error.
async fn read(wire: &mut Wire, unsent: &mut Vec<u8>, into: &mut [u8]) -> io::Result<usize> {
    loop {
        write(wire, unsent);
        match wire.try_read(into) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wire.ready(!unsent.is_empty()).await?,
            Err(error) => return Err(error),
        }
    }
}

/// Asks for a WebSocket and reads the answer; what came behind it is left at the front of the scratch, and the result
/// is how much that is.
async fn shake_hands(
    wire: &mut Wire,
    handshake: &Handshake<'_>,
    request: &mut Vec<u8>,
    scratch: &mut [u8],
) -> io::Result<usize> {
    let mut length = 0;
    loop {
        // A full scratch is longer than any head may be, and is refused below.
        length += read(wire, request, &mut scratch[length..]).await?;
        let refused = |error: AnswerError| io::Error::new(io::ErrorKind::ConnectionRefused, error);
        let welcome = handshake.verify(&scratch[..length], &HeadLimits::default()).map_err(refused)?;
        if let Some(welcome) = welcome {
            let fresh = welcome.leftover.len();
            scratch.copy_within(length - fresh..length, 0);
            return Ok(fresh);
        }
    }
}

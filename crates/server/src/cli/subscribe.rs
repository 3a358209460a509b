//! `spanwire sub`: shows what is published, over a WebSocket of our own.

use std::io::{self, Read as _, Write as _};

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer};
use spanwire_ws::{Connection, Event, HeadLimits, Input, Limits, Opcode, Role, frame};

use super::connect::{Stream, connect};
use super::subscription::{self, Heard};
use super::tail::Tail;
use super::trust::Trust;
use super::url::Server;
use super::{Exit, Failure, SubOptions, exit};

/// Where sessions are opened.
const PATH: &str = "/connection/websocket";
/// How much is read at once.
const READ_BYTES: usize = 64 << 10;
/// Largest message that is taken from the server, in bytes: a recovery can be as large as its outbox.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

pub(super) fn run(options: &SubOptions) -> Result<(), Failure> {
    let server = Server::parse(&options.url)?;
    let mut tail = Tail::new(options.json, options.count);
    let trust = Trust::new(&server, options.ca_file.as_deref())?;
    let mut session = Session::open(&server, &trust)?;
    session.send(
        Opcode::Text,
        &subscription::greeting(options.token.as_deref().unwrap_or(""), &options.channels),
    )?;
    while !tail.is_done() {
        for heard in session.hear(&options.channels, &mut tail)? {
            show(&heard, options.json)?;
        }
    }
    Ok(())
}

fn show(heard: &Heard, is_json: bool) -> Result<(), Failure> {
    for line in heard.talk.iter().filter(|_| !is_json) {
        // Talk is for people; if nobody listens, nothing is lost.
        let _ = writeln!(io::stderr(), "{line}");
    }
    heard.lines.iter().try_for_each(|line| exit::print(line))
}

/// A WebSocket over a blocking connection.
struct Session {
    stream: Stream,
    connection: Connection,
    limits: Limits,
    /// What was read and not taken yet.
    unread: Vec<u8>,
}

impl Session {
    fn open(server: &Server, trust: &Trust) -> Result<Self, Failure> {
        let mut stream = connect(server, trust)?;
        let unread = shake_hands(&mut stream, server)?;
        let limits = Limits {
            frame_bytes_max: MESSAGE_BYTES_MAX,
            message_bytes_max: MESSAGE_BYTES_MAX,
            ..Limits::default()
        };
        Ok(Self { stream, connection: Connection::new(Role::Client), limits, unread })
    }

    fn send(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), Failure> {
        let mut out = Vec::new();
        frame::client_frame_into(&mut out, opcode, payload, drawn()?);
        self.stream.write_all(&out).map_err(lost)
    }

    /// Waits for something from the server, and takes it.
    fn hear(&mut self, channels: &[String], tail: &mut Tail) -> Result<Vec<Heard>, Failure> {
        if self.unread.is_empty() {
            self.unread = read_some(&mut self.stream).map_err(lost)?;
        }
        let mut all = Vec::new();
        let (mut pongs, mut bytes) = (Vec::new(), std::mem::take(&mut self.unread));
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.connection.next(&mut input, &self.limits).map_err(broken)? {
            match event {
                Event::Text(text) => all.push(subscription::hear(text, channels, tail)?),
                Event::Ping(payload) => pongs.push(payload.to_vec()),
                Event::Close(close) => {
                    // 1005 stands for a close frame without a code (RFC 6455, section 7.1.5).
                    let code = close.code().map_or(1005, |code| code.number());
                    return Err(subscription::closed(code, close.reason()));
                }
                Event::Binary(_) | Event::Pong(_) => {}
            }
            if tail.is_done() {
                return Ok(all);
            }
        }
        for payload in pongs {
            self.send(Opcode::Pong, &payload)?;
        }
        if all.iter().any(|heard| heard.pong) {
            self.send(Opcode::Text, b"{}")?;
        }
        Ok(all)
    }
}

/// Opens the WebSocket; what was read behind the answer is returned.
fn shake_hands(stream: &mut Stream, server: &Server) -> Result<Vec<u8>, Failure> {
    let (host, target) = (server.authority(), format!("{}{PATH}", server.prefix));
    let offer = Offer { host: &host, target: &target, subprotocols: &[], headers: &[], deflate: None };
    let handshake = Handshake::new(offer, drawn()?).map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut request = Vec::new();
    handshake.encode_into(&mut request);
    stream.write_all(&request).map_err(lost)?;
    let mut answer = Vec::new();
    loop {
        answer.append(&mut read_some(stream).map_err(lost)?);
        match handshake.verify(&answer, &HeadLimits::default()) {
            Ok(Some(welcome)) => return Ok(welcome.leftover.to_vec()),
            Ok(None) => {}
            Err(error) => return Err(refused(error)),
        }
    }
}

/// Reads what is there, or waits for it; the end of the stream is an error.
fn read_some(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; READ_BYTES];
    let count = stream.read(&mut bytes)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(count);
    Ok(bytes)
}

fn drawn<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Failure::new(Exit::Failed, format!("no chance: {error}")))?;
    Ok(bytes)
}

fn refused(error: AnswerError) -> Failure {
    let trouble = format!("no WebSocket could be opened: {error}");
    match error {
        AnswerError::Status(401 | 403) => Failure::new(Exit::Denied, trouble),
        _ => Failure::new(Exit::Unavailable, trouble)
            .fix("check --url; it should be the address of a Spanwire server"),
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::new(Exit::Unavailable, format!("the connection was lost: {error}"))
        .fix("start again; this command does not reconnect by itself")
}

fn broken(error: spanwire_ws::PeerError) -> Failure {
    Failure::new(Exit::Failed, format!("the server broke the WebSocket protocol: {}", error.reason()))
}

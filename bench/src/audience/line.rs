//! One connection, and the sessions on it.

use std::io::ErrorKind;

use anyhow::{Context, Result, bail, ensure};

use super::ear::Ear;
use super::http2::Http2;
use super::poll::Poll;
use super::{Errand, Transport};
use crate::tongue::Tongue;
use crate::wire::Wire;
use crate::{greeting, script};

/// A connection.
pub(super) struct Line {
    /// What its bytes go over.
    pub(super) wire: Wire,
    /// Until the answer to its first request has a whole head; none where answers are read one by one.
    opening: Option<Opening>,
    talk: Talk,
}

/// An answer that is to come.
struct Opening {
    status: &'static str,
    head: Vec<u8>,
    /// What is said after it.
    hello: Vec<u8>,
}

enum Talk {
    /// Whatever comes is for the one session.
    Stream(Ear),
    Poll(Poll),
    Http2(Http2),
}

impl Line {
    /// Says what the transport wants to hear first.
    pub(super) fn open(
        mut wire: Wire,
        transport: Transport,
        errand: Errand,
        mut ears: Vec<Ear>,
    ) -> Result<Line> {
        if transport == Transport::Http2 {
            let talk = Talk::Http2(Http2::open(&mut wire, ears, frames(errand))?);
            return Ok(Line { wire, opening: None, talk });
        }
        let ear = ears.pop().context("a connection needs a session")?;
        if transport == Transport::Poll {
            let talk = Talk::Poll(Poll::open(&mut wire, ear, &commands(errand))?);
            return Ok(Line { wire, opening: None, talk });
        }
        let (request, status, hello) = match transport {
            Transport::HttpStream => (post("/connection/http_stream", &commands(errand)), "200", Vec::new()),
            Transport::Sse => (post("/connection/sse", &commands(errand)), "200", Vec::new()),
            _ => (greeting::request(script::PATH, false), "101", frames(errand)),
        };
        wire.send(request.as_bytes())?;
        let opening = Some(Opening { status, head: Vec::new(), hello });
        Ok(Line { wire, opening, talk: Talk::Stream(ear) })
    }

    /// Reads once, and tells the publications that came. Returns how many sessions got the answer they waited for.
    pub(super) fn read(&mut self, scratch: &mut [u8], told: &mut impl FnMut(usize, u32)) -> Result<usize> {
        let count = match self.wire.read(scratch) {
            Ok(0) => bail!("the server hung up"),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error).context("cannot read"),
        };
        let bytes = &scratch[..count];
        if self.opening.is_some() {
            return self.begin(bytes, told);
        }
        match &mut self.talk {
            Talk::Stream(ear) => Ok(usize::from(ear.hear(bytes, told))),
            Talk::Poll(poll) => poll.hear(&mut self.wire, bytes, told),
            Talk::Http2(http2) => http2.hear(&mut self.wire, bytes, told),
        }
    }

    /// Goes on to the stream as soon as the head of the answer is whole.
    fn begin(&mut self, bytes: &[u8], told: &mut impl FnMut(usize, u32)) -> Result<usize> {
        let (Some(opening), Talk::Stream(ear)) = (&mut self.opening, &mut self.talk) else { return Ok(0) };
        opening.head.extend_from_slice(bytes);
        let Some(end) = greeting::head_end(&opening.head) else { return Ok(0) };
        let answer = String::from_utf8_lossy(&opening.head);
        ensure!(answer.split(' ').nth(1) == Some(opening.status), "refused: {answer}");
        self.wire.send(&opening.hello)?;
        let seated = ear.hear(&opening.head[end..], told);
        self.opening = None;
        Ok(usize::from(seated))
    }
}

/// What a session says first, as commands.
fn commands(errand: Errand) -> String {
    let mut commands = vec![script::connect(1)];
    if errand == Errand::Subscribe {
        commands.push(script::subscribe(2, script::CHANNEL));
    }
    String::from_utf8_lossy(&Tongue::Json.message(&commands)).into_owned()
}

/// The same as frames of a WebSocket.
fn frames(errand: Errand) -> Vec<u8> {
    let mut frames = Tongue::Json.connect(1);
    if errand == Errand::Subscribe {
        frames.extend(Tongue::Json.subscribe(2, script::CHANNEL));
    }
    frames
}

/// A request with a body.
pub(super) fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

//! WebSockets on streams of one HTTP/2 connection (RFC 8441), as far as a load needs it: all windows are opened once, as
//! wide as they go, and headers are never compressed.

use anyhow::{Result, bail, ensure};

use super::ear::Ear;
use crate::script;
use crate::wire::Wire;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `SETTINGS_INITIAL_WINDOW_SIZE` (RFC 9113 section 6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;
/// The widest that a window may be (RFC 9113 section 6.9.1).
const WINDOW_MAX: u32 = (1 << 31) - 1;
/// How wide a connection's is at first (RFC 9113 section 6.9.2).
const WINDOW_FIRST: u32 = 65_535;
/// Bytes of a frame's head (RFC 9113 section 4.1).
const HEAD_BYTES: usize = 9;
/// `:status 200`, entry 8 of the static table (RFC 7541 appendix A).
const STATUS_200: u8 = 0x88;

/// A connection and its streams; the session of ear `n` is on stream `2n + 1`.
pub(super) struct Http2 {
    ears: Vec<Ear>,
    /// What each session says on its WebSocket first.
    hello: Vec<u8>,
    /// Whether the server's settings have come, and the streams were opened.
    opened: bool,
    /// A frame that is not whole yet.
    rest: Vec<u8>,
}

impl Http2 {
    /// Says that HTTP/2 is spoken. Streams follow when the server has said what it allows (RFC 8441 section 3).
    pub(super) fn open(wire: &mut Wire, ears: Vec<Ear>, hello: Vec<u8>) -> Result<Http2> {
        let mut setting = INITIAL_WINDOW_SIZE.to_be_bytes().to_vec();
        setting.extend(WINDOW_MAX.to_be_bytes());
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        write(&mut bytes, SETTINGS, 0, 0, &setting);
        write(&mut bytes, WINDOW_UPDATE, 0, 0, &(WINDOW_MAX - WINDOW_FIRST).to_be_bytes());
        wire.send(&bytes)?;
        Ok(Http2 { ears, hello, opened: false, rest: Vec::new() })
    }

    /// Takes what came: returns how many sessions got the answer they waited for.
    pub(super) fn hear(
        &mut self,
        wire: &mut Wire,
        bytes: &[u8],
        told: &mut impl FnMut(usize, u32),
    ) -> Result<usize> {
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let (mut at, mut seated, mut out) = (0, 0, Vec::new());
        while let Some(frame) = Frame::read(&all[at..]) {
            at += HEAD_BYTES + frame.payload.len();
            seated += usize::from(self.take(&frame, &mut out, told)?);
        }
        self.rest = all.split_off(at);
        wire.send(&out)?;
        Ok(seated)
    }

    fn take(
        &mut self,
        frame: &Frame<'_>,
        out: &mut Vec<u8>,
        told: &mut impl FnMut(usize, u32),
    ) -> Result<bool> {
        let Frame { kind, flags, stream, payload } = *frame;
        match kind {
            DATA => {
                let ear = self.ears.get_mut(stream as usize / 2);
                return Ok(ear.is_some_and(|ear| ear.hear(payload, told)));
            }
            HEADERS => {
                ensure!(payload.first() == Some(&STATUS_200), "a WebSocket was refused on stream {stream}");
                write(out, DATA, 0, stream, &self.hello);
            }
            SETTINGS if flags & ACK == 0 => {
                write(out, SETTINGS, ACK, 0, &[]);
                if !self.opened {
                    self.opened = true;
                    let request = request();
                    for index in 0..self.ears.len() as u32 {
                        write(out, HEADERS, END_HEADERS, 2 * index + 1, &request);
                    }
                }
            }
            PING if flags & ACK == 0 => write(out, PING, ACK, 0, payload),
            SETTINGS | PING | WINDOW_UPDATE => {}
            other => bail!("the server sent a frame of type {other} on stream {stream}, which ends it"),
        }
        Ok(false)
    }
}

/// The headers of an extended CONNECT (RFC 8441 section 4): fields that the static table knows by number, others in full.
fn request() -> Vec<u8> {
    let scheme_http = 0x86;
    let mut block = vec![scheme_http];
    for (name, value) in [(2, "CONNECT"), (4, script::PATH), (1, "localhost")] {
        block.push(name);
        write_string(&mut block, value);
    }
    for (name, value) in [(":protocol", "websocket"), ("sec-websocket-version", "13")] {
        block.push(0);
        write_string(&mut block, name);
        write_string(&mut block, value);
    }
    block
}

/// A string of fewer than 127 bytes, not compressed (RFC 7541 section 5.2).
fn write_string(block: &mut Vec<u8>, string: &str) {
    block.push(string.len() as u8);
    block.extend_from_slice(string.as_bytes());
}

fn write(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A frame (RFC 9113 section 4.1).
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

impl Frame<'_> {
    /// The frame that `bytes` begin with; none while it is not whole.
    fn read(bytes: &[u8]) -> Option<Frame<'_>> {
        let head = bytes.first_chunk::<HEAD_BYTES>()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let payload = bytes.get(HEAD_BYTES..HEAD_BYTES + length)?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_not_before_it_is_whole() {
        let mut wire = Vec::new();
        write(&mut wire, DATA, 1, 19, b"hello");
        for cut in 0..wire.len() {
            assert_eq!(Frame::read(&wire[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Frame::read(&wire), Some(Frame { kind: DATA, flags: 1, stream: 19, payload: b"hello" }));
    }

    #[test]
    fn a_request_names_method_path_and_protocol() {
        let block = request();
        assert_eq!(block[..10], [0x86, 2, 7, b'C', b'O', b'N', b'N', b'E', b'C', b'T']);
        let protocol = [&[0, 9][..], b":protocol", &[9], b"websocket"].concat();
        assert!(block.windows(protocol.len()).any(|window| window == protocol));
    }
}

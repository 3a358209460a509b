//! Messages that come in pieces, because a stream has no frames.

use bytes::{Buf as _, Bytes, BytesMut};
use spanwire_client_core::{Encoding, Transport};
use spanwire_wire::whole_messages;

use crate::event::Ended;

/// How messages stand in an answer without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// HTTP streaming in JSON: each on a line of its own.
    Lines,
    /// HTTP streaming in Protobuf: each behind its length.
    Lengths,
    /// Server-sent events, which are always JSON: each is an event.
    Events,
}

impl Framing {
    pub(super) fn of(transport: Transport, encoding: Encoding) -> Self {
        match (transport, encoding) {
            (Transport::Sse, _) => Self::Events,
            (_, Encoding::Json) => Self::Lines,
            (_, Encoding::Protobuf) => Self::Lengths,
        }
    }

    /// The last part of the path at which it is served.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Lines | Self::Lengths => "http_stream",
            Self::Events => "sse",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Lengths => "application/octet-stream",
            Self::Events => "text/event-stream",
        }
    }
}

/// Messages that come in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    framing: Framing,
    /// What is not whole yet.
    bytes: BytesMut,
    bytes_max: usize,
}

impl Pieces {
    /// Keeps no more than `bytes_max` bytes of a message that is not whole.
    pub(super) fn new(framing: Framing, bytes_max: usize) -> Self {
        Self { framing, bytes: BytesMut::new(), bytes_max }
    }

    /// Takes a piece; the result is what is whole by it, as one frame, if there is any.
    ///
    /// # Errors
    /// What comes cannot become a message, or is longer than one may be.
    pub(super) fn add(&mut self, piece: &[u8]) -> Result<Option<Bytes>, Ended> {
        self.bytes.extend_from_slice(piece);
        let whole = match self.framing {
            Framing::Lines => self.lines(),
            Framing::Lengths => self.lengths()?,
            Framing::Events => self.events(),
        };
        if self.bytes.len() > self.bytes_max {
            return Err(Ended::new(Ended::BAD_PROTOCOL, "the server's message is longer than is taken here"));
        }
        Ok(whole.filter(|frame| !frame.is_empty()))
    }

    /// Everything up to the last line break, which a frame does not have.
    fn lines(&mut self) -> Option<Bytes> {
        let end = whole_messages(Encoding::Json, &self.bytes).filter(|end| *end > 0)?;
        let mut lines = self.bytes.split_to(end);
        lines.truncate(end - 1);
        Some(lines.freeze())
    }

    fn lengths(&mut self) -> Result<Option<Bytes>, Ended> {
        let end = whole_messages(Encoding::Protobuf, &self.bytes)
            .ok_or_else(|| Ended::new(Ended::BAD_PROTOCOL, "what the server sends has no length"))?;
        Ok((end > 0).then(|| self.bytes.split_to(end).freeze()))
    }

    /// The data of all whole events, one per line. Everything else in a stream of events is for browsers.
    fn events(&mut self) -> Option<Bytes> {
        let mut frame = BytesMut::new();
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line = &self.bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(data) = line.strip_prefix(b"data:") {
                if !frame.is_empty() {
                    frame.extend_from_slice(b"\n");
                }
                frame.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
            self.bytes.advance(end + 1);
        }
        Some(frame.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a stream that is cut into pieces of so many bytes: the frames, joined as the encoding joins them.
    fn heard(framing: Framing, stream: &[u8], size: usize) -> Vec<u8> {
        let mut pieces = Pieces::new(framing, 1000);
        let frames = stream.chunks(size).filter_map(|piece| pieces.add(piece).expect("it is in good order"));
        let separator: &[u8] = if framing == Framing::Lengths { b"" } else { b"\n" };
        frames.collect::<Vec<_>>().join(separator)
    }

    #[test]
    fn a_stream_is_heard_alike_however_it_is_cut() {
        for (framing, stream, expected) in [
            (Framing::Lines, &b"{\"a\":1}\n{}\n{\"b\":2}\n{\"half"[..], &b"{\"a\":1}\n{}\n{\"b\":2}"[..]),
            (Framing::Lengths, b"\x02ab\x00\x01c\x05half", b"\x02ab\x00\x01c"),
            (
                Framing::Events,
                b"\r\n: hello\ndata: {\"a\":1}\n\ndata:{}\r\n\r\nevent: x\ndata: {\"half",
                b"{\"a\":1}\n{}",
            ),
        ] {
            for size in 1..=stream.len() {
                assert_eq!(heard(framing, stream, size), expected, "{framing:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_message_without_an_end_is_refused_before_it_fills_the_memory() {
        for framing in [Framing::Lines, Framing::Lengths, Framing::Events] {
            let mut pieces = Pieces::new(framing, 100);
            let refused = (0..200).find_map(|_| pieces.add(b"\xff").err());
            assert_eq!(refused.expect("it is too long").code, Ended::BAD_PROTOCOL, "{framing:?}");
        }
    }
}

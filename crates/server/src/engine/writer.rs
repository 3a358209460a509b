//! From an outbox to a socket: frames gathered from many messages, and one system call.

use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use spanwire_hub::outbox::Outbox;
use spanwire_ws::{Header, Opcode};

use super::connection::{Aside, Connection};
use super::limits::{GATHER_BYTES_MAX, WRITE_BYTES};

/// Most pieces of one gathered write; the kernel takes up to 1,024.
const PIECES_MAX: usize = 32;

const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// Writes for all connections of a shard, out of one scratch.
#[derive(Debug)]
pub(super) struct Writer {
    scratch: Vec<u8>,
    pieces: Vec<Piece>,
}

/// One run of bytes of a gathered write.
#[derive(Debug)]
enum Piece {
    /// What the connection says before its messages.
    Lead,
    /// Headers and short payloads, copied together.
    Scratch(Range<usize>),
    /// A long payload from where it is, from this byte on.
    Payload(Bytes, usize),
}

/// How much one write was to carry.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    bytes: usize,
    messages: usize,
}

/// What one write came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes that the socket took.
    pub(super) bytes: usize,
    /// Messages that are written whole, and out of the outbox.
    pub(super) messages: usize,
    /// The socket is full.
    pub(super) blocked: bool,
    /// There is more to write.
    pub(super) more: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        // As much as usual writes need; a larger one grows it once.
        Self { scratch: Vec::with_capacity(WRITE_BYTES / 4), pieces: Vec::with_capacity(PIECES_MAX) }
    }

    /// Writes once what the connection says and what its outbox holds, as far as the socket takes it and as
    /// [one write](WRITE_BYTES) carries. `outbox` is `None` for a connection without a session.
    ///
    /// # Errors
    /// The socket is broken.
    pub(super) fn write(
        &mut self,
        connection: &mut Connection,
        mut outbox: Option<&mut Outbox>,
    ) -> Result<Written, Errno> {
        let load = self.gather(connection, outbox.as_deref());
        if load.bytes == 0 {
            return Ok(Written::default());
        }
        let taken = match retry_on_intr(|| self.send(connection)) {
            Ok(taken) => taken,
            Err(Errno::AGAIN) => 0,
            Err(error) => return Err(error),
        };
        let messages = account(connection, outbox.as_deref(), load, taken);
        if let Some(outbox) = &mut outbox {
            outbox.consume(messages);
        }
        let blocked = taken < load.bytes;
        let more = blocked || has_more(connection, outbox.as_deref());
        Ok(Written { bytes: taken, messages, blocked, more })
    }

    /// Collects what comes next, in order: the rest of a message that was cut, then what is said between messages,
    /// then messages. What is said waits while a message is cut.
    fn gather(&mut self, connection: &mut Connection, outbox: Option<&Outbox>) -> Load {
        self.scratch.clear();
        self.pieces.clear();
        let mut load = Load::default();
        let cut = connection.front_written > 0;
        let (opcode, mut skip) = (connection.opcode(), connection.front_written);
        let mut messages_max = usize::MAX;
        if let Some(aside) = connection.existing_aside_mut() {
            if cut {
                messages_max = if aside.has_control() { 1 } else { usize::MAX };
            } else {
                aside.speak(outbox.is_some_and(|outbox| !outbox.is_empty()));
                load.bytes += self.gather_lead(aside);
            }
        }
        for message in outbox.into_iter().flat_map(Outbox::iter).take(messages_max) {
            if load.bytes >= WRITE_BYTES || self.pieces.len() + 2 > PIECES_MAX {
                break;
            }
            load.bytes += self.gather_message(opcode, message, skip);
            load.messages += 1;
            skip = 0;
        }
        load
    }

    fn gather_lead(&mut self, aside: &Aside) -> usize {
        let unsent = aside.unsent_lead().len();
        if unsent > 0 {
            self.pieces.push(Piece::Lead);
        }
        unsent
    }

    /// Adds one message as a frame, without the first `skip` bytes of it. Returns how many bytes that were.
    #[inline]
    fn gather_message(&mut self, opcode: Opcode, message: &Bytes, skip: usize) -> usize {
        let (header, size) = Header::new(opcode, message.len() as u64).encode();
        let start = self.scratch.len();
        self.scratch.extend_from_slice(&header[skip.min(size)..size]);
        let payload_skip = skip.saturating_sub(size);
        let payload = &message[payload_skip..];
        if payload.len() < GATHER_BYTES_MAX {
            self.scratch.extend_from_slice(payload);
            self.copied(start);
        } else {
            self.copied(start);
            self.pieces.push(Piece::Payload(message.clone(), payload_skip));
        }
        size + message.len() - skip
    }

    /// Counts what was added to the scratch since `start` to the piece before it, if that is its neighbour.
    #[inline]
    fn copied(&mut self, start: usize) {
        let end = self.scratch.len();
        match self.pieces.last_mut() {
            Some(Piece::Scratch(range)) => range.end = end,
            _ if start < end => self.pieces.push(Piece::Scratch(start..end)),
            _ => {}
        }
    }

    fn send(&self, connection: &Connection) -> Result<usize, Errno> {
        // Nearly always everything is in one piece, and a plain send is the cheapest call there is.
        if let [Piece::Scratch(range)] = &self.pieces[..] {
            return send(&connection.socket, &self.scratch[range.clone()], FLAGS);
        }
        let lead = connection.aside().map_or(&[][..], Aside::unsent_lead);
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(match piece {
                Piece::Lead => lead,
                Piece::Scratch(range) => &self.scratch[range.clone()],
                Piece::Payload(message, skip) => &message[*skip..],
            });
        }
        let slices = &slices[..self.pieces.len().min(PIECES_MAX)];
        sendmsg(&connection.socket, slices, &mut SendAncillaryBuffer::default(), FLAGS)
    }
}

/// Marks `taken` bytes of the load as written. Returns how many messages are through.
fn account(connection: &mut Connection, outbox: Option<&Outbox>, load: Load, mut taken: usize) -> usize {
    let complete = taken == load.bytes;
    if connection.front_written == 0
        && let Some(aside) = connection.existing_aside_mut()
    {
        let lead = aside.unsent_lead().len().min(taken);
        aside.lead_taken(lead);
        taken -= lead;
    }
    if complete {
        connection.front_written = 0;
        return load.messages;
    }
    let mut through = 0;
    for message in outbox.into_iter().flat_map(Outbox::iter).take(load.messages) {
        let rest = framed_size(message) - connection.front_written;
        if taken < rest {
            connection.front_written += taken;
            break;
        }
        taken -= rest;
        connection.front_written = 0;
        through += 1;
    }
    through
}

/// Bytes of a message with its header.
pub(super) fn framed_size(message: &Bytes) -> usize {
    Header::size(message.len() as u64, false) + message.len()
}

fn has_more(connection: &Connection, outbox: Option<&Outbox>) -> bool {
    let messages = outbox.is_some_and(|outbox| !outbox.is_empty());
    messages || connection.aside().is_some_and(Aside::has_something_to_say)
}

/// Frames the outbox's first message, which was cut, and returns what of it the socket has not taken. Whoever wants
/// to say anything else on this connection must say this first.
pub(super) fn rest_of_front(connection: &Connection, outbox: &Outbox) -> Vec<u8> {
    let Some(message) = outbox.iter().next().filter(|_| connection.front_written > 0) else {
        return Vec::new();
    };
    let (header, size) = Header::new(connection.opcode(), message.len() as u64).encode();
    let mut rest = Vec::with_capacity(framed_size(message) - connection.front_written);
    rest.extend_from_slice(&header[connection.front_written.min(size)..size]);
    rest.extend_from_slice(&message[connection.front_written.saturating_sub(size)..]);
    rest
}

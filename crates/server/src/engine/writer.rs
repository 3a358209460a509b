//! From an outbox to a socket: frames gathered from many messages, and one system call.

use std::io::IoSlice;
use std::ops::{ControlFlow, Range};

use bytes::Bytes;
use rustix::io::Errno;
use spanwire_hub::outbox::Outbox;
use spanwire_ws::{Header, Opcode};

use super::connection::{Aside, Connection};
use super::limits::{GATHER_BYTES_MAX, WRITE_BYTES};
use super::link::Sent;

/// Most pieces of one gathered write; the kernel takes up to 1,024.
const PIECES_MAX: usize = 32;

/// Writes for all connections of a shard, out of one scratch.
#[derive(Debug)]
pub(super) struct Writer {
    scratch: Vec<u8>,
    pieces: Vec<Piece>,
    /// The messages whose frames lie at the front of the scratch.
    framed: Vec<Framed>,
    framed_as: Opcode,
}

/// A message whose frame lies in the scratch. That it is held makes its address its identity: members of a channel
/// share their messages, so what was framed for one of them need not be framed for the next.
#[derive(Debug)]
struct Framed {
    message: Bytes,
    /// Where its frame ends in the scratch.
    end: usize,
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
    /// Bytes that the link took.
    pub(super) bytes: usize,
    /// Messages that are written whole, and out of the outbox.
    pub(super) messages: usize,
    /// Whether the socket took anything.
    pub(super) moved: bool,
    /// The socket is full.
    pub(super) blocked: bool,
    /// There is more to write.
    pub(super) more: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            // As much as usual writes need; a larger one grows it once.
            scratch: Vec::with_capacity(WRITE_BYTES / 4),
            pieces: Vec::with_capacity(PIECES_MAX),
            framed: Vec::new(),
            framed_as: Opcode::Binary,
        }
    }

    /// Lets go of the messages that were written, when nobody is left to share them.
    pub(super) fn rest(&mut self) {
        self.keep_frames(0);
        self.pieces.clear();
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
        if load.bytes == 0 && !connection.link.has_unsent() {
            return Ok(Written::default());
        }
        let Sent { taken, moved, blocked } = self.send(connection)?;
        let messages = account(connection, outbox.as_deref(), load, taken);
        match &mut outbox {
            Some(outbox) if messages == outbox.len() => outbox.clear(),
            Some(outbox) => outbox.consume(messages),
            None => {}
        }
        let more = blocked || has_more(connection, outbox.as_deref());
        Ok(Written { bytes: taken, messages, moved, blocked, more })
    }

    /// Collects what comes next, in order: the rest of a message that was cut, then what is said between messages,
    /// then messages. What is said waits while a message is cut.
    fn gather(&mut self, connection: &mut Connection, outbox: Option<&Outbox>) -> Load {
        self.pieces.clear();
        let mut load = Load::default();
        let (opcode, cut) = (connection.opcode, connection.front_written());
        let mut messages_max = usize::MAX;
        if let Some(aside) = connection.existing_aside_mut() {
            if cut == 0 {
                aside.speak(outbox.is_some_and(|outbox| !outbox.is_empty()));
                load.bytes += self.gather_lead(aside);
            } else if aside.has_control() {
                messages_max = 1;
            }
        }
        let Some(outbox) = outbox else { return load };
        if cut == 0 {
            self.gather_framed(opcode, outbox, &mut load);
        }
        let messages_max = messages_max.min(outbox.len());
        if load.messages < messages_max {
            self.keep_frames(load.messages);
            self.gather_rest(opcode, outbox, messages_max, cut, &mut load);
        }
        load
    }

    /// Adds the short messages that come first, and frames only those that were not framed for the write before
    /// this one: what a fan-out saves by this is most of its work outside of the kernel.
    fn gather_framed(&mut self, opcode: Opcode, outbox: &Outbox, load: &mut Load) {
        if self.framed_as != opcode {
            self.keep_frames(0);
            self.framed_as = opcode;
        }
        let (mut count, mut end) = (0, 0);
        let _: ControlFlow<()> = outbox.iter().try_for_each(|message| {
            if message.len() >= GATHER_BYTES_MAX || end >= WRITE_BYTES {
                return ControlFlow::Break(());
            }
            end = match self.framed.get(count) {
                Some(framed) if framed.is(message) => framed.end,
                _ => self.frame(opcode, message, count),
            };
            count += 1;
            ControlFlow::Continue(())
        });
        if end > 0 {
            self.pieces.push(Piece::Scratch(0..end));
        }
        load.bytes += end;
        load.messages += count;
    }

    /// Adds the messages behind those that are framed, without the first `cut` bytes.
    fn gather_rest(&mut self, opcode: Opcode, outbox: &Outbox, max: usize, mut cut: usize, load: &mut Load) {
        for message in outbox.iter().take(max).skip(load.messages) {
            if load.bytes >= WRITE_BYTES || self.pieces.len() + 2 > PIECES_MAX {
                return;
            }
            load.bytes += self.gather_message(opcode, message, cut);
            load.messages += 1;
            cut = 0;
        }
    }

    /// Frames a message behind the first `count`. Returns where it ends.
    fn frame(&mut self, opcode: Opcode, message: &Bytes, count: usize) -> usize {
        self.keep_frames(count);
        let (header, size) = Header::new(opcode, message.len() as u64).encode();
        self.scratch.extend_from_slice(&header[..size]);
        self.scratch.extend_from_slice(message);
        let end = self.scratch.len();
        self.framed.push(Framed { message: message.clone(), end });
        end
    }

    /// Forgets all frames but the first `count`.
    fn keep_frames(&mut self, count: usize) {
        self.framed.truncate(count);
        self.scratch.truncate(self.framed.last().map_or(0, |framed| framed.end));
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

    fn send(&self, connection: &mut Connection) -> Result<Sent, Errno> {
        let Connection { link, aside, .. } = connection;
        // Nearly always everything is in one piece.
        if let [Piece::Scratch(range)] = &self.pieces[..] {
            return link.send(&self.scratch[range.clone()]);
        }
        let lead = aside.as_deref().map_or(&[][..], Aside::unsent_lead);
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(match piece {
                Piece::Lead => lead,
                Piece::Scratch(range) => &self.scratch[range.clone()],
                Piece::Payload(message, skip) => &message[*skip..],
            });
        }
        link.send_gathered(&mut slices[..self.pieces.len().min(PIECES_MAX)])
    }
}

impl Framed {
    #[inline]
    fn is(&self, message: &Bytes) -> bool {
        self.message.as_ptr() == message.as_ptr() && self.message.len() == message.len()
    }
}

/// Marks `taken` bytes of the load as written. Returns how many messages are through.
fn account(connection: &mut Connection, outbox: Option<&Outbox>, load: Load, mut taken: usize) -> usize {
    let complete = taken == load.bytes;
    if connection.front_written() == 0
        && let Some(aside) = connection.existing_aside_mut()
    {
        let lead = aside.unsent_lead().len().min(taken);
        aside.lead_taken(lead);
        taken -= lead;
    }
    if complete {
        connection.set_front_written(0);
        return load.messages;
    }
    let mut through = 0;
    for message in outbox.into_iter().flat_map(Outbox::iter).take(load.messages) {
        let rest = framed_size(message) - connection.front_written();
        if taken < rest {
            connection.set_front_written(connection.front_written() + taken);
            break;
        }
        taken -= rest;
        connection.set_front_written(0);
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
    let Some(message) = outbox.iter().next().filter(|_| connection.front_written() > 0) else {
        return Vec::new();
    };
    let (header, size) = Header::new(connection.opcode, message.len() as u64).encode();
    let mut rest = Vec::with_capacity(framed_size(message) - connection.front_written());
    rest.extend_from_slice(&header[connection.front_written().min(size)..size]);
    rest.extend_from_slice(&message[connection.front_written().saturating_sub(size)..]);
    rest
}

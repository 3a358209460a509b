//! From an outbox to a socket: frames gathered from many messages, and one system call.

use std::io::IoSlice;
use std::ops::{ControlFlow, Range};

use bytes::Bytes;
use rustix::io::Errno;
use spanwire_hub::outbox::Outbox;
use spanwire_ws::deflate::Side;
use spanwire_ws::{Header, Opcode, Role};

use super::compressor::{Compression, Compressor};
use super::connection::{Aside, Connection};
use super::limits::{GATHER_BYTES_MAX, OWN_BYTES_MAX, WRITE_BYTES};
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
    framed_as: Framing,
    compressor: Compressor,
}

/// How the messages of a connection become frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// As they are.
    Plain(Opcode),
    /// Compressed with a window of so many bits, for all who have agreed on it.
    Shared(Opcode, u8),
    /// Compressed with what this connection was sent before: nobody else can read that.
    Own(Opcode, Side),
}

/// A message whose frame lies in the scratch. That it is held makes its address its identity: members of a channel
/// share their messages, so what was framed for one of them need not be framed for the next.
#[derive(Debug)]
struct Framed {
    message: Bytes,
    /// Where its frame ends in the scratch.
    end: usize,
    /// How many bytes shorter it is for having been compressed.
    saved: usize,
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

/// Messages that are out of the outbox, and the bytes that compression has saved on them.
#[derive(Clone, Copy, Debug, Default)]
struct Through {
    messages: usize,
    saved: usize,
}

/// What one write came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes that the link took.
    pub(super) bytes: usize,
    /// Messages that are out of the outbox: written whole, or as good as that.
    pub(super) messages: usize,
    /// How many bytes were saved by compression.
    pub(super) saved: usize,
    /// Whether the socket took anything.
    pub(super) moved: bool,
    /// The socket is full.
    pub(super) blocked: bool,
    /// There is more to write.
    pub(super) more: bool,
}

impl Writer {
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            // As much as usual writes need; a larger one grows it once.
            scratch: Vec::with_capacity(WRITE_BYTES / 4),
            pieces: Vec::with_capacity(PIECES_MAX),
            framed: Vec::new(),
            framed_as: Framing::Plain(Opcode::Binary),
            compressor: Compressor::new(compression),
        }
    }

    /// Lets go of the messages that were written, when nobody is left to share them.
    pub(super) fn rest(&mut self) {
        self.keep_frames(0);
        self.pieces.clear();
        self.compressor.rest();
        self.scratch.shrink_to(WRITE_BYTES);
    }

    /// What compresses.
    pub(super) fn compressor(&mut self) -> &mut Compressor {
        &mut self.compressor
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
        let framing = Framing::of(connection);
        let own = match (framing, &mut outbox) {
            (Framing::Own(opcode, side), Some(outbox)) => self.say_own(connection, outbox, opcode, side),
            _ => Through::default(),
        };
        let load = self.gather(framing, connection, outbox.as_deref());
        if load.bytes == 0 && !connection.link.has_unsent() {
            return Ok(Written::default());
        }
        let Sent { taken, moved, blocked } = self.send(connection)?;
        let written = match framing {
            Framing::Shared(..) => self.account_shared(connection, load, taken),
            Framing::Plain(_) | Framing::Own(..) => {
                Through { messages: account(connection, outbox.as_deref(), load, taken), saved: 0 }
            }
        };
        match &mut outbox {
            Some(outbox) if written.messages == outbox.len() => outbox.clear(),
            Some(outbox) => outbox.consume(written.messages),
            None => {}
        }
        let more = blocked || has_more(connection, outbox.as_deref());
        let (messages, saved) = (own.messages + written.messages, own.saved + written.saved);
        Ok(Written { bytes: taken, messages, saved, moved, blocked, more })
    }

    /// Moves messages of a connection that takes context over from its outbox to its lead, as far as that is low: what
    /// is compressed once must be sent, and in this order.
    fn say_own(
        &mut self,
        connection: &mut Connection,
        outbox: &mut Outbox,
        opcode: Opcode,
        side: Side,
    ) -> Through {
        let mut through = Through::default();
        let aside = connection.aside_mut();
        while aside.lead.len() < OWN_BYTES_MAX {
            let Some(message) = outbox.iter().next().cloned() else { break };
            let before = aside.lead.len();
            self.compressor.say(aside, opcode, &message, side);
            through.messages += 1;
            through.saved += framed_size(&message).saturating_sub(aside.lead.len() - before);
            outbox.consume(1);
        }
        through
    }

    /// Collects what comes next, in order: the rest of a message that was cut, then what is said between messages,
    /// then messages. What is said waits while a message is cut.
    fn gather(&mut self, framing: Framing, connection: &mut Connection, outbox: Option<&Outbox>) -> Load {
        self.pieces.clear();
        let mut load = Load::default();
        let cut = connection.front_written();
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
        if cut == 0 && !matches!(framing, Framing::Own(..)) {
            self.gather_framed(framing, outbox, &mut load);
        }
        let messages_max = messages_max.min(outbox.len());
        if let Framing::Plain(opcode) = framing
            && load.messages < messages_max
        {
            self.keep_frames(load.messages);
            self.gather_rest(opcode, outbox, messages_max, cut, &mut load);
        }
        load
    }

    /// Adds the short messages that come first, and frames only those that were not framed for the write before
    /// this one: what a fan-out saves by this is most of its work outside of the kernel. Compressed ones count as short.
    fn gather_framed(&mut self, framing: Framing, outbox: &Outbox, load: &mut Load) {
        if self.framed_as != framing {
            self.keep_frames(0);
            self.framed_as = framing;
        }
        let copied_max = match framing {
            Framing::Plain(_) => GATHER_BYTES_MAX,
            Framing::Shared(..) | Framing::Own(..) => usize::MAX,
        };
        let (mut count, mut end) = (0, 0);
        let _: ControlFlow<()> = outbox.iter().try_for_each(|message| {
            if message.len() >= copied_max || end >= WRITE_BYTES {
                return ControlFlow::Break(());
            }
            end = match self.framed.get(count) {
                Some(framed) if framed.is(message) => framed.end,
                _ => self.frame(framing, message, count),
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
    fn frame(&mut self, framing: Framing, message: &Bytes, count: usize) -> usize {
        self.keep_frames(count);
        let start = self.scratch.len();
        match framing {
            Framing::Plain(opcode) => {
                let (header, size) = Header::new(opcode, message.len() as u64).encode();
                self.scratch.extend_from_slice(&header[..size]);
                self.scratch.extend_from_slice(message);
            }
            Framing::Shared(opcode, window_bits) | Framing::Own(opcode, Side { window_bits, .. }) => {
                self.compressor.frame_into(&mut self.scratch, opcode, message, window_bits);
            }
        }
        let end = self.scratch.len();
        let saved = framed_size(message).saturating_sub(end - start);
        self.framed.push(Framed { message: message.clone(), end, saved });
        end
    }

    /// Marks `taken` bytes of the load as written, where all messages are framed in the scratch. The rest of one that
    /// was cut goes to the lead, for its frame may not be the same when it is made again.
    fn account_shared(&self, connection: &mut Connection, load: Load, taken: usize) -> Through {
        let taken = taken - take_lead(connection, taken);
        let framed = &self.framed[..load.messages];
        let mut messages = framed.partition_point(|framed| framed.end <= taken);
        let begin = if messages == 0 { 0 } else { framed[messages - 1].end };
        if let Some(cut) = framed.get(messages).filter(|_| taken > begin) {
            connection.aside_mut().lead.extend_from_slice(&self.scratch[taken..cut.end]);
            messages += 1;
        }
        Through { messages, saved: framed[..messages].iter().map(|framed| framed.saved).sum() }
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

impl Framing {
    #[inline]
    fn of(connection: &Connection) -> Self {
        match connection.ws.extensions().ours(Role::Server) {
            None => Self::Plain(connection.opcode),
            Some(side) if side.takeover => Self::Own(connection.opcode, side),
            Some(side) => Self::Shared(connection.opcode, side.window_bits),
        }
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
    if connection.front_written() == 0 {
        taken -= take_lead(connection, taken);
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

/// Marks as much of the lead as written as `taken` bytes are. Returns how many that were.
#[inline]
fn take_lead(connection: &mut Connection, taken: usize) -> usize {
    let Some(aside) = connection.existing_aside_mut() else { return 0 };
    let lead = aside.unsent_lead().len().min(taken);
    aside.lead_taken(lead);
    lead
}

/// Bytes of a message with its header, without compression.
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

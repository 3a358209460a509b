//! Messages compressed (`permessage-deflate`): once for all who agreed on the same window, however many they are.

use std::collections::HashMap;

use bytes::Bytes;
use spanwire_ws::deflate::{Deflater, Side, WINDOW_BITS_MAX, WINDOW_BITS_MIN};
use spanwire_ws::{Header, Opcode};

use super::Permit;
use super::connection::Aside;
use super::limits::COMPRESSED_BYTES_MAX;

/// How this node compresses what it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    /// From 1, the fastest, to 9, the smallest (`websocket.compression_level`).
    pub level: u8,
    /// Shorter messages are sent as they are, in bytes (`websocket.compression_min_size`).
    pub bytes_min: usize,
}

/// The compressor of a shard. Its deflaters are made when somebody needs them.
#[derive(Debug)]
pub(super) struct Compressor {
    compression: Compression,
    /// One for each window, from the shortest on.
    deflaters: [Option<Deflater>; WINDOWS],
    /// What was compressed since the last rest.
    done: HashMap<Name, Done>,
    /// Bytes of that.
    done_bytes: usize,
    /// How often a message was compressed.
    runs: u64,
    scratch: Vec<u8>,
}

const WINDOWS: usize = (WINDOW_BITS_MAX - WINDOW_BITS_MIN) as usize + 1;

/// A message by its address and length, and the window. That the message is held makes its address its identity.
type Name = (usize, usize, u8);

#[derive(Debug)]
struct Done {
    _message: Bytes,
    /// `None` if it is as short without compression.
    payload: Option<Bytes>,
}

/// What is kept for a connection that takes context over.
#[derive(Debug)]
pub(super) struct Context {
    /// Made with the first message that is compressed.
    deflater: Option<Deflater>,
    /// The right to keep this.
    _permit: Permit,
}

impl Context {
    pub(super) fn new(permit: Permit) -> Self {
        Self { deflater: None, _permit: permit }
    }
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            compression,
            deflaters: [const { None }; WINDOWS],
            done: HashMap::new(),
            done_bytes: 0,
            runs: 0,
            scratch: Vec::new(),
        }
    }

    /// Appends a message's frame as everybody with this window gets it.
    pub(super) fn frame_into(&mut self, out: &mut Vec<u8>, opcode: Opcode, message: &Bytes, window_bits: u8) {
        if message.len() < self.compression.bytes_min {
            return append(out, Header::new(opcode, message.len() as u64), message);
        }
        let name = (message.as_ptr().addr(), message.len(), window_bits);
        if !self.done.contains_key(&name) {
            let payload = self.compress(message, window_bits);
            self.remember(name, Done { _message: message.clone(), payload });
        }
        match self.done.get(&name).and_then(|done| done.payload.as_ref()) {
            Some(payload) => append(out, Header::new(opcode, payload.len() as u64).compressed(), payload),
            None => append(out, Header::new(opcode, message.len() as u64), message),
        }
    }

    /// Appends a message's frame to the lead of a connection that nobody shares it with.
    pub(super) fn say(&mut self, aside: &mut Aside, opcode: Opcode, message: &[u8], side: Side) {
        if message.len() < self.compression.bytes_min {
            return append(&mut aside.lead, Header::new(opcode, message.len() as u64), message);
        }
        let level = self.compression.level;
        self.scratch.clear();
        self.runs += 1;
        let (deflater, takeover) = match &mut aside.context {
            Some(context) if side.takeover => (&mut context.deflater, true),
            _ => (place(&mut self.deflaters, side.window_bits), false),
        };
        let deflater = deflater.get_or_insert_with(|| Deflater::new(level, side.window_bits));
        deflater.deflate_into(&mut self.scratch, message, takeover);
        let header = Header::new(opcode, self.scratch.len() as u64).compressed();
        append(&mut aside.lead, header, &self.scratch);
    }

    /// How often messages were compressed since somebody asked.
    pub(super) fn take_runs(&mut self) -> u64 {
        std::mem::take(&mut self.runs)
    }

    /// Lets go of messages that nobody else will be sent now.
    pub(super) fn rest(&mut self) {
        if !self.done.is_empty() {
            self.done.clear();
            self.done_bytes = 0;
        }
    }

    /// The compressed form of a message, if it is shorter.
    fn compress(&mut self, message: &Bytes, window_bits: u8) -> Option<Bytes> {
        let level = self.compression.level;
        self.scratch.clear();
        self.runs += 1;
        let deflater = place(&mut self.deflaters, window_bits);
        let deflater = deflater.get_or_insert_with(|| Deflater::new(level, window_bits));
        deflater.deflate_into(&mut self.scratch, message, false);
        (self.scratch.len() < message.len()).then(|| Bytes::copy_from_slice(&self.scratch))
    }

    fn remember(&mut self, name: Name, done: Done) {
        if self.done_bytes > COMPRESSED_BYTES_MAX {
            self.rest();
        }
        self.done_bytes += done.payload.as_ref().map_or(0, Bytes::len);
        self.done.insert(name, done);
    }
}

/// Where the deflater of a window is.
fn place(deflaters: &mut [Option<Deflater>; WINDOWS], window_bits: u8) -> &mut Option<Deflater> {
    let bits = window_bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
    &mut deflaters[usize::from(bits - WINDOW_BITS_MIN)]
}

fn append(out: &mut Vec<u8>, header: Header, payload: &[u8]) {
    let (header, size) = header.encode();
    out.extend_from_slice(&header[..size]);
    out.extend_from_slice(payload);
}

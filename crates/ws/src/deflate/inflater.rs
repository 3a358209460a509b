//! From a compressed message to what was said (RFC 7692 section 7.2.2).

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{TAIL, WINDOW_BITS_MAX};
use crate::{Limits, PeerError};

/// Bytes of memory that are kept for the next message; a longer one gives back what it took.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// What the first step of a message's memory is, in bytes; then it doubles.
const FIRST_BYTES: usize = 1 << 10;

/// About what zlib keeps: its window, and the tables of one block.
const STATE_BYTES: usize = 48 << 10;

/// Reads compressed messages. It makes its memory with the first one.
///
/// One is enough for all connections whose peers do not use context takeover, however many there are.
#[derive(Default)]
pub struct Inflater {
    state: Option<Inflate>,
    /// The message so far lies at the front; behind it is room.
    out: Vec<u8>,
    len: usize,
}

impl Inflater {
    /// An inflater that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The message that `payload` is the compressed form of. With `takeover`, it may refer to those before it.
    ///
    /// # Errors
    ///
    /// The payload is not DEFLATE, or ends in the middle of it; or the message is longer than
    /// [`Limits::message_bytes_max`] or denser than [`Limits::inflate_ratio_max`]. Not a byte more than the limit has
    /// been made of it then.
    pub fn inflate(&mut self, payload: &[u8], takeover: bool, limits: &Limits) -> Result<&[u8], PeerError> {
        self.len = 0;
        if self.out.len() > KEPT_BYTES_MAX {
            self.out = Vec::new();
        }
        if !takeover {
            made_once(&mut self.state).reset(false);
        }
        let bound = Bound::of(payload.len(), limits);
        self.body(payload, bound)?;
        self.end(bound)?;
        Ok(&self.out[..self.len])
    }

    /// Bytes of memory kept.
    pub fn bytes_held(&self) -> usize {
        self.out.capacity() + self.state.as_ref().map_or(0, |_| STATE_BYTES)
    }

    /// The message that was made last, for the caller to keep.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.out.truncate(std::mem::take(&mut self.len));
        std::mem::take(&mut self.out)
    }

    /// Takes everything that was sent, and all that zlib makes of it.
    fn body(&mut self, mut payload: &[u8], bound: Bound) -> Result<(), PeerError> {
        loop {
            let step = self.step(payload, InflateFlush::NoFlush, bound)?;
            payload = &payload[step.taken..];
            if step.status == Status::StreamEnd {
                // Section 7.2.3.4: a sender may end its stream, and what follows is another.
                made_once(&mut self.state).reset(false);
            } else if step.taken == 0 && !payload.is_empty() && step.made == 0 {
                return Err(PeerError::DeflateInvalid);
            }
            if payload.is_empty() && self.len < self.out.len() {
                return Ok(());
            }
        }
    }

    /// Takes the tail that was not sent, and sees to it that the message ends there: it must make nothing, and a byte
    /// that is offered behind it must be left. The inflater stops between two blocks, so that it takes that byte only
    /// if the message was cut inside of one.
    fn end(&mut self, bound: Bound) -> Result<(), PeerError> {
        let [a, b, c, d] = TAIL;
        let step = self.step(&[a, b, c, d, 0], InflateFlush::Block, bound)?;
        if step.status == Status::StreamEnd {
            made_once(&mut self.state).reset(false);
        }
        if step.taken == TAIL.len() && step.made == 0 { Ok(()) } else { Err(PeerError::DeflateInvalid) }
    }

    /// One call of zlib.
    fn step(&mut self, input: &[u8], flush: InflateFlush, bound: Bound) -> Result<Step, PeerError> {
        self.make_room(bound)?;
        let start = self.len;
        let Self { state, out, .. } = self;
        let state = made_once(state);
        let (taken_before, made_before) = (state.total_in(), state.total_out());
        let outcome = state.decompress(input, &mut out[start..], flush);
        let taken = (state.total_in() - taken_before) as usize;
        let made = (state.total_out() - made_before) as usize;
        self.len += made;
        bound.check(self.len)?;
        let status = outcome.map_err(|_| PeerError::DeflateInvalid)?;
        Ok(Step { taken, made, status })
    }

    /// Sees to it that a byte fits, but never that more than one byte beyond the bound does: if that is filled, the
    /// message is too long.
    fn make_room(&mut self, bound: Bound) -> Result<(), PeerError> {
        if self.len < self.out.len() {
            return Ok(());
        }
        bound.check(self.len)?;
        let most = bound.bytes_max.saturating_add(1);
        let size = (self.len * 2).max(FIRST_BYTES).min(most);
        self.out.reserve_exact(size - self.len);
        self.out.resize(size, 0);
        Ok(())
    }
}

/// The inflater reads what was compressed with any window, for a longer one reads shorter ones.
fn made_once(state: &mut Option<Inflate>) -> &mut Inflate {
    state.get_or_insert_with(|| Inflate::new(false, WINDOW_BITS_MAX))
}

/// What one call of zlib came to.
struct Step {
    /// Bytes of the input that were used.
    taken: usize,
    /// Bytes of the message that came of them, and of those before.
    made: usize,
    status: Status,
}

/// How long a message may get.
#[derive(Clone, Copy)]
struct Bound {
    bytes_max: usize,
    /// What to say of a longer one.
    sin: PeerError,
}

impl Bound {
    fn of(compressed: usize, limits: &Limits) -> Self {
        let most = limits.message_bytes_max;
        let dense =
            compressed.saturating_mul(limits.inflate_ratio_max as usize).max(Limits::INFLATE_FREE_BYTES);
        if dense < most {
            Self { bytes_max: dense, sin: PeerError::InflatesTooDensely(limits.inflate_ratio_max) }
        } else {
            Self { bytes_max: most, sin: PeerError::InflatesTooLong(most as u64) }
        }
    }

    fn check(self, len: usize) -> Result<(), PeerError> {
        if len > self.bytes_max { Err(self.sin) } else { Ok(()) }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("bytes_held", &self.bytes_held()).finish_non_exhaustive()
    }
}

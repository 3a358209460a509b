//! From a message to its compressed form (RFC 7692 section 7.2.1).

use std::fmt;

use zlib_rs::{Deflate, DeflateFlush};

use super::{TAIL, WINDOW_BITS_MAX, WINDOW_BITS_MIN};

/// How much is made in one call of zlib, in bytes.
const PIECE_BYTES: usize = 4 << 10;

/// Compresses messages for all who agreed on one window and no context takeover; or for one connection, with it.
///
/// It takes about 300 KB: a window twice, the chains of its places, and a table of 64 Ki entries.
pub struct Deflater {
    state: Deflate,
}

impl Deflater {
    /// A deflater with a level from 1 (fast) to 9 (small), and a window of 9 to 15 bits; others are taken to the nearest.
    pub fn new(level: u8, window_bits: u8) -> Self {
        let bits = window_bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        Self { state: Deflate::new(i32::from(level.clamp(1, 9)), false, bits) }
    }

    /// Appends the compressed form of a message, to be sent in frames of which the first has RSV1 set. With `takeover`,
    /// it may refer to the messages before it; all of those must have been sent in this form, and in this order.
    pub fn deflate_into(&mut self, out: &mut Vec<u8>, message: &[u8], takeover: bool) {
        if !takeover {
            self.state.reset();
        }
        let (start, mut rest, mut piece) = (out.len(), message, [0; PIECE_BYTES]);
        loop {
            let (taken_before, made_before) = (self.state.total_in(), self.state.total_out());
            // A flush into free room cannot fail; if there is nothing more to flush, it makes nothing.
            let _ = self.state.compress(rest, &mut piece, DeflateFlush::SyncFlush);
            rest = &rest[(self.state.total_in() - taken_before) as usize..];
            let made = (self.state.total_out() - made_before) as usize;
            out.extend_from_slice(&piece[..made]);
            if made < PIECE_BYTES {
                break;
            }
        }
        if out[start..].ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if out.len() == start {
            // Section 7.2.3.6: a flush of nothing behind a flush makes nothing, and an empty message is an empty block.
            out.push(0);
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

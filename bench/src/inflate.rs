//! As much of RFC 7692 as a load needs: messages that do not refer to each other, or do, become what they were.
//!
//! zlib's own work, without the product's code around it, for the same reason as `frame.rs` has its own.

use anyhow::{Result, bail};
use zlib_rs::{Inflate, InflateFlush};

/// Longest message that the loads are sent, in bytes.
const MESSAGE_MAX: usize = 256 * 1024;
/// What a sender takes away from the end of a message (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Inflates messages that a server did not let refer to each other.
pub(crate) struct Inflater {
    state: Inflate,
    out: Vec<u8>,
}

impl Inflater {
    pub(crate) fn new() -> Inflater {
        Inflater { state: Inflate::new(false, 15), out: vec![0; MESSAGE_MAX] }
    }

    /// The message that was compressed to this.
    pub(crate) fn inflate(&mut self, payload: &[u8]) -> Result<&[u8]> {
        self.state.reset(false);
        for part in [payload, &TAIL] {
            let made = self.state.total_out() as usize;
            if self.state.decompress(part, &mut self.out[made..], InflateFlush::SyncFlush).is_err() {
                bail!("a compressed message is not DEFLATE");
            }
        }
        if self.state.total_in() as usize != payload.len() + TAIL.len() {
            bail!("a compressed message is longer than {MESSAGE_MAX} bytes");
        }
        Ok(&self.out[..self.state.total_out() as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read_and_garbage_is_not() {
        let mut inflater = Inflater::new();
        for _ in 0..2 {
            assert_eq!(inflater.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00").unwrap(), b"Hello");
        }
        assert!(inflater.inflate(b"\xff\xff").is_err());
    }
}

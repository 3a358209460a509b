//! Fragments to messages (RFC 6455 section 5.4).

use crate::utf8::Text;
use crate::{Limits, Opcode, PeerError};

/// A data message whose end has not arrived.
#[derive(Debug)]
pub(crate) struct Message {
    body: Body,
    fragments: u32,
}

/// What has arrived of it.
#[derive(Debug)]
enum Body {
    Text(Text),
    Binary(Vec<u8>),
    /// What either of them is compressed to.
    Compressed(Opcode, Vec<u8>),
}

/// A message that is whole.
#[derive(Debug)]
pub(crate) enum Whole {
    Text(String),
    Binary(Vec<u8>),
    Compressed(Opcode, Vec<u8>),
}

impl Message {
    /// A message of which nothing has arrived but its first header.
    pub(crate) fn new(opcode: Opcode, compressed: bool) -> Self {
        let body = match opcode {
            _ if compressed => Body::Compressed(opcode, Vec::new()),
            Opcode::Text => Body::Text(Text::default()),
            _ => Body::Binary(Vec::new()),
        };
        Self { body, fragments: 0 }
    }

    /// Admits a frame of `len` bytes, before any of them is kept.
    ///
    /// # Errors
    ///
    /// The message would get too long, or has too many fragments.
    pub(crate) fn admit(&mut self, len: u64, limits: &Limits) -> Result<(), PeerError> {
        let total = len.saturating_add(self.len() as u64);
        if total > limits.message_bytes_max as u64 {
            return Err(PeerError::MessageTooLong(total));
        }
        if self.fragments > 0 && self.fragments >= limits.fragments_max {
            return Err(PeerError::TooManyFragments);
        }
        self.fragments += 1;
        Ok(())
    }

    /// Keeps what arrived. `final_len` is how long the message is going to be, or could be at most.
    ///
    /// # Errors
    ///
    /// Text that is not UTF-8.
    pub(crate) fn push(&mut self, bytes: &[u8], final_len: usize) -> Result<(), PeerError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let arrived = self.len() + bytes.len();
        match &mut self.body {
            Body::Text(text) => {
                let buffer = text.buffer();
                if buffer.capacity() < arrived {
                    buffer.reserve_exact(room(arrived, final_len) - buffer.len());
                }
                text.push(bytes)
            }
            Body::Binary(buffer) | Body::Compressed(_, buffer) => {
                if buffer.capacity() < arrived {
                    buffer.reserve_exact(room(arrived, final_len) - buffer.len());
                }
                buffer.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// The message, now that its last frame has arrived.
    ///
    /// # Errors
    ///
    /// Text that ends inside a character.
    pub(crate) fn finish(self) -> Result<Whole, PeerError> {
        Ok(match self.body {
            Body::Text(text) => Whole::Text(text.finish()?),
            Body::Binary(bytes) => Whole::Binary(bytes),
            Body::Compressed(opcode, bytes) => Whole::Compressed(opcode, bytes),
        })
    }

    /// Bytes that have arrived.
    pub(crate) fn len(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) | Body::Compressed(_, bytes) => bytes.len(),
        }
    }

    /// Bytes of memory kept for them.
    pub(crate) fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.capacity(),
            Body::Binary(bytes) | Body::Compressed(_, bytes) => bytes.capacity(),
        }
    }
}

impl Whole {
    /// A message from its bytes.
    ///
    /// # Errors
    ///
    /// Text that is not UTF-8.
    pub(crate) fn of(opcode: Opcode, bytes: Vec<u8>) -> Result<Self, PeerError> {
        match opcode {
            Opcode::Text => String::from_utf8(bytes).map(Self::Text).map_err(|_| PeerError::InvalidUtf8),
            _ => Ok(Self::Binary(bytes)),
        }
    }
}

/// How much memory to have when `arrived` bytes must fit: twice that, so that a long message is not copied for
/// each packet, but never more than it can fill. An announced length alone makes us allocate nothing.
fn room(arrived: usize, final_len: usize) -> usize {
    arrived.saturating_mul(2).min(final_len).max(arrived)
}

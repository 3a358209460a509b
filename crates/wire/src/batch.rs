//! Several messages in one frame.

use bytes::Bytes;

use crate::Encoding;

impl Encoding {
    /// What stands between two messages of one frame. Protobuf messages know their own length.
    pub const fn separator(self) -> &'static [u8] {
        match self {
            Self::Json => b"\n",
            Self::Protobuf => b"",
        }
    }
}

/// A frame in the making, for transports that send several messages at once.
#[derive(Clone, Debug)]
pub struct Batch {
    encoding: Encoding,
    frame: Vec<u8>,
}

impl Batch {
    /// An empty frame.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, frame: Vec::new() }
    }

    /// Adds a message that was encoded in this batch's encoding.
    pub fn add(&mut self, message: &[u8]) {
        if !self.frame.is_empty() {
            self.frame.extend_from_slice(self.encoding.separator());
        }
        self.frame.extend_from_slice(message);
    }

    /// Bytes of the frame so far.
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// The frame; the batch is empty again.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.frame).into()
    }
}

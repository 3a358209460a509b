//! Frames of a client that must wait, because something before them is not answered yet.

use std::collections::VecDeque;

use bytes::Bytes;

/// What a frame costs beside its bytes: its place in the queue, and an allocation of its own.
const FRAME_BYTES: usize = 64;

/// Frames in the order of their coming. The first may be the rest of one that was begun.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

/// The client sent more than may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BacklogFull;

impl Backlog {
    /// Keeps a frame, if that leaves at most `bytes_max` waiting, [`FRAME_BYTES`] for each counted in.
    pub(crate) fn push(&mut self, frame: &[u8], bytes_max: usize) -> Result<(), BacklogFull> {
        let bytes = self.bytes + frame.len() + FRAME_BYTES;
        if bytes > bytes_max {
            return Err(BacklogFull);
        }
        self.bytes = bytes;
        self.frames.push_back(Bytes::copy_from_slice(frame));
        Ok(())
    }

    /// Puts back what is left of the frame that was popped last.
    pub(crate) fn put_back(&mut self, rest: Bytes) {
        self.bytes += rest.len() + FRAME_BYTES;
        self.frames.push_front(rest);
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len() + FRAME_BYTES;
        Some(frame)
    }
}

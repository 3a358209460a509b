//! Where one message of a frame ends and the next begins.

use memchr::memchr;

use crate::{DecodeError, Encoding, Limits, varint};

/// A place between two messages of a frame. Knows the frame only while it is asked to move on.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub(crate) encoding: Encoding,
    limits: Limits,
    consumed: usize,
    messages: usize,
    failed: bool,
}

impl Cursor {
    pub(crate) fn new(encoding: Encoding, limits: &Limits) -> Self {
        Self { encoding, limits: *limits, consumed: 0, messages: 0, failed: false }
    }

    /// Bytes of the frame that lie behind, separators included.
    pub(crate) fn consumed(&self) -> usize {
        self.consumed
    }

    /// Moves past the next message and returns its bytes; None at the end, and after an error.
    pub(crate) fn next<'f>(&mut self, frame: &'f [u8]) -> Option<Result<&'f [u8], DecodeError>> {
        let rest = frame.get(self.consumed..).unwrap_or_default();
        if self.failed || (rest.is_empty() && self.consumed > 0) {
            return None;
        }
        let message = self.split(rest).map(|(message, taken)| {
            self.consumed += taken;
            self.messages += 1;
            message
        });
        self.failed = message.is_err();
        Some(message)
    }

    /// Nothing after this is read.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// The first message of `rest`, and the bytes to go on by.
    fn split<'f>(&self, rest: &'f [u8]) -> Result<(&'f [u8], usize), DecodeError> {
        if rest.is_empty() {
            return Err(DecodeError::FrameEmpty);
        }
        if self.messages == self.limits.messages_per_frame_max {
            return Err(DecodeError::TooManyMessages);
        }
        match self.encoding {
            Encoding::Json => self.split_line(rest),
            Encoding::Protobuf => self.split_prefixed(rest),
        }
    }

    fn split_line<'f>(&self, rest: &'f [u8]) -> Result<(&'f [u8], usize), DecodeError> {
        let (line, taken) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        if line.is_empty() {
            return Err(DecodeError::LineEmpty);
        }
        self.check_size(line.len())?;
        Ok((line, taken))
    }

    fn split_prefixed<'f>(&self, rest: &'f [u8]) -> Result<(&'f [u8], usize), DecodeError> {
        let (length, prefix) = varint::read_length(rest).ok_or(DecodeError::LengthMalformed)?;
        self.check_size(length)?;
        let message = rest[prefix..].get(..length).ok_or(DecodeError::LengthBeyondFrame { bytes: length })?;
        Ok((message, prefix + length))
    }

    fn check_size(&self, bytes: usize) -> Result<(), DecodeError> {
        if bytes > self.limits.message_bytes_max {
            return Err(DecodeError::MessageTooLarge { bytes });
        }
        Ok(())
    }
}

//! What a peer can do wrong, one name per sin.

use std::fmt;

use crate::close::CloseCode;

/// A peer broke the protocol or a limit. The connection is over: send [`Connection::answer`], then hang up.
///
/// It stays small and `Copy`, because a failed connection keeps it as its state.
///
/// [`Connection::answer`]: crate::Connection::answer
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerError {
    /// A reserved bit was set that no negotiated extension claims there (RFC 6455 section 5.2, RSV1 to RSV3; with
    /// compression, RSV1 belongs to the first frame of a message only: RFC 7692 section 6).
    ReservedBit,
    /// The opcode, given here, is one of those kept for future use (section 5.2).
    UnknownOpcode(u8),
    /// A close, ping or pong came without FIN (section 5.5).
    ControlFragmented,
    /// A close, ping or pong announced more than 125 bytes (section 5.5).
    ControlTooLong,
    /// A length was written in more bytes than it needs (section 5.2).
    LengthNotMinimal,
    /// A 64-bit length had its highest bit set (section 5.2).
    LengthOutOfRange,
    /// A client sent a frame without a mask (section 5.1).
    MaskMissing,
    /// A server sent a frame with a mask (section 5.1).
    MaskForbidden,
    /// A continuation came with no message to continue (section 5.4).
    ContinuationOfNothing,
    /// A new message began before the fragmented one had ended (section 5.4).
    MessageInterrupted,
    /// A frame announced this many bytes, more than [`Limits::frame_bytes_max`](crate::Limits::frame_bytes_max).
    FrameTooLong(u64),
    /// A message would grow to this many bytes, more than
    /// [`Limits::message_bytes_max`](crate::Limits::message_bytes_max).
    MessageTooLong(u64),
    /// A message came in more frames than [`Limits::fragments_max`](crate::Limits::fragments_max).
    TooManyFragments,
    /// A compressed message is longer than [`Limits::message_bytes_max`](crate::Limits::message_bytes_max), given here.
    InflatesTooLong(u64),
    /// A compressed message grows more than [`Limits::inflate_ratio_max`](crate::Limits::inflate_ratio_max)-fold.
    InflatesTooDensely(u32),
    /// A compressed message is not DEFLATE, or ends inside of it (RFC 7692 section 7.2.2).
    DeflateInvalid,
    /// A text message is not UTF-8 (section 8.1).
    InvalidUtf8,
    /// A close frame had one byte of payload: half a code (section 5.5.1).
    CloseCodeCut,
    /// A close frame carried this code, which must not travel or means nothing (section 7.4).
    CloseCodeIllegal(u16),
    /// The reason in a close frame is not UTF-8 (section 5.5.1).
    CloseReasonInvalidUtf8,
}

impl PeerError {
    /// The code to close with. This is the only place that maps sins to codes (sections 7.4.1 and 8.1).
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::CloseReasonInvalidUtf8 | Self::DeflateInvalid => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::FrameTooLong(_)
            | Self::MessageTooLong(_)
            | Self::TooManyFragments
            | Self::InflatesTooLong(_)
            | Self::InflatesTooDensely(_) => CloseCode::TOO_BIG,
            Self::ReservedBit
            | Self::UnknownOpcode(_)
            | Self::ControlFragmented
            | Self::ControlTooLong
            | Self::LengthNotMinimal
            | Self::LengthOutOfRange
            | Self::MaskMissing
            | Self::MaskForbidden
            | Self::ContinuationOfNothing
            | Self::MessageInterrupted
            | Self::CloseCodeCut
            | Self::CloseCodeIllegal(_) => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// A short phrase that fits a close frame and tells the peer's developer what to look for.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ReservedBit => "reserved bit without a negotiated extension",
            Self::UnknownOpcode(_) => "unknown opcode",
            Self::ControlFragmented => "fragmented control frame",
            Self::ControlTooLong => "control frame longer than 125 bytes",
            Self::LengthNotMinimal => "length not in its shortest form",
            Self::LengthOutOfRange => "length beyond 63 bits",
            Self::MaskMissing => "frame from a client without a mask",
            Self::MaskForbidden => "frame from a server with a mask",
            Self::ContinuationOfNothing => "continuation of no message",
            Self::MessageInterrupted => "new message inside a fragmented one",
            Self::FrameTooLong(_) => "frame longer than allowed here",
            Self::MessageTooLong(_) => "message longer than allowed here",
            Self::TooManyFragments => "message in more fragments than allowed here",
            Self::InflatesTooLong(_) => "compressed message longer than allowed here",
            Self::InflatesTooDensely(_) => "compressed message denser than allowed here",
            Self::DeflateInvalid => "compressed message is not DEFLATE",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::CloseCodeCut => "close frame with half a code",
            Self::CloseCodeIllegal(_) => "close code that must not be sent",
            Self::CloseReasonInvalidUtf8 => "close reason is not UTF-8",
        }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())?;
        match self {
            Self::UnknownOpcode(opcode) => write!(f, " ({opcode:#x})"),
            Self::FrameTooLong(bytes) | Self::MessageTooLong(bytes) => write!(f, " ({bytes} bytes)"),
            Self::InflatesTooLong(most) => write!(f, " (more than {most} bytes)"),
            Self::InflatesTooDensely(ratio) => write!(f, " (more than {ratio}-fold)"),
            Self::CloseCodeIllegal(code) => write!(f, " ({code})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for PeerError {}

//! What can be wrong with a frame.

use std::fmt;

/// Why a frame, or what is left of it, cannot be understood.
///
/// All of these are the peer's fault; a server answers them with
/// [`DisconnectCode::BadRequest`](crate::DisconnectCode::BadRequest).
#[derive(Debug)]
pub enum DecodeError {
    /// The frame holds nothing at all.
    FrameEmpty,
    /// A line of a JSON frame holds nothing.
    LineEmpty,
    /// The length before a Protobuf message is cut short, does not fit in 32 bits, or takes more bytes than
    /// it needs.
    LengthMalformed,
    /// The length before a Protobuf message points beyond the end of the frame.
    LengthBeyondFrame {
        /// The length.
        bytes: usize,
    },
    /// A message is larger than [`Limits::message_bytes_max`](crate::Limits::message_bytes_max).
    MessageTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// There are more messages than
    /// [`Limits::messages_per_frame_max`](crate::Limits::messages_per_frame_max).
    TooManyMessages,
    /// A message is not JSON, or not of the right shape.
    Json(serde_json::Error),
    /// A message is not Protobuf, or not of the right shape.
    Protobuf(prost::DecodeError),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameEmpty => f.write_str("the frame is empty"),
            Self::LineEmpty => f.write_str("a line of the frame is empty"),
            Self::LengthMalformed => f.write_str("a length prefix is cut short, too big or too long"),
            Self::LengthBeyondFrame { bytes } => {
                write!(f, "a message of {bytes} bytes ends beyond its frame")
            }
            Self::MessageTooLarge { bytes } => write!(f, "a message of {bytes} bytes is over the limit"),
            Self::TooManyMessages => f.write_str("the frame holds too many messages"),
            Self::Json(_) => f.write_str("a message is not the JSON that it should be"),
            Self::Protobuf(_) => f.write_str("a message is not the Protobuf that it should be"),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Protobuf(error) => Some(error),
            _ => None,
        }
    }
}

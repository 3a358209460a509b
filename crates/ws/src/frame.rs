//! Frame headers, and frames made of a header and a payload (RFC 6455 section 5.2).

use crate::{PeerError, mask};

/// The longest header, in bytes: two, a length of eight, and a mask key of four.
pub const HEADER_BYTES_MAX: usize = 14;

/// The longest payload of a close, ping or pong, in bytes (section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_RSV3: u8 = 0x30;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
/// In the seven bits of the length: the length itself follows in two or in eight bytes.
const LENGTH_IN_TWO: u8 = 126;
const LENGTH_IN_EIGHT: u8 = 127;

/// What a frame is for (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message begun before.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// The sender's last frame.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping, or just says "here".
    Pong = 0xa,
}

impl Opcode {
    /// Whether this is a close, ping or pong: short, never fragmented, welcome between fragments (section 5.5).
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }

    const fn from_wire(bits: u8) -> Result<Self, PeerError> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            unknown => return Err(PeerError::UnknownOpcode(unknown)),
        })
    }
}

/// The header of one frame (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// The first reserved bit, which extensions may claim. The other two are never legal and have no field.
    pub rsv1: bool,
    /// What the frame is for.
    pub opcode: Opcode,
    /// The key of the mask, which frames of clients have and frames of servers have not (section 5.1).
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload, at most 2^63 - 1.
    pub len: u64,
}

impl Header {
    /// The header of an unfragmented, unmasked frame: what a server sends.
    pub const fn new(opcode: Opcode, len: u64) -> Self {
        Self { fin: true, rsv1: false, opcode, mask: None, len }
    }

    /// The same header with a mask: what a client sends.
    pub const fn masked(self, key: [u8; 4]) -> Self {
        Self { mask: Some(key), ..self }
    }

    /// Whether the frame is a whole message or a control frame, rather than a fragment (section 5.4).
    pub const fn is_unfragmented(&self) -> bool {
        self.fin && !matches!(self.opcode, Opcode::Continuation)
    }

    /// The same header on a message that is compressed (RFC 7692 section 6).
    pub const fn compressed(self) -> Self {
        Self { rsv1: true, ..self }
    }

    /// Whether the frame is the first of a message (section 5.4).
    pub const fn begins_message(&self) -> bool {
        matches!(self.opcode, Opcode::Text | Opcode::Binary)
    }

    /// Bytes of a header in front of `payload_len` bytes.
    pub const fn size(payload_len: u64, masked: bool) -> usize {
        let length = match payload_len {
            0..=125 => 0,
            126..=0xffff => 2,
            _ => 8,
        };
        2 + length + if masked { 4 } else { 0 }
    }

    /// Reads a header from the front of `bytes`, and how many bytes it took; `None` asks for more bytes.
    ///
    /// # Errors
    ///
    /// What is wrong in any frame, whoever sent it: reserved bits 2 and 3, unknown opcodes, fragmented or long
    /// control frames, and lengths that are not minimal or not of 63 bits. Each is found as soon as its byte has
    /// arrived.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, PeerError> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        if first & RSV2_RSV3 != 0 {
            return Err(PeerError::ReservedBit);
        }
        let (fin, opcode) = (first & FIN != 0, Opcode::from_wire(first & OPCODE)?);
        if opcode.is_control() && !fin {
            return Err(PeerError::ControlFragmented);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if opcode.is_control() && usize::from(second & !MASKED) > CONTROL_BYTES_MAX {
            return Err(PeerError::ControlTooLong);
        }
        let Some((len, rest)) = decode_length(second & !MASKED, rest)? else { return Ok(None) };
        let (mask, rest) = match rest.split_first_chunk() {
            _ if second & MASKED == 0 => (None, rest),
            Some((key, rest)) => (Some(*key), rest),
            None => return Ok(None),
        };
        let header = Self { fin, rsv1: first & RSV1 != 0, opcode, mask, len };
        Ok(Some((header, bytes.len() - rest.len())))
    }

    /// Writes the header: the first bytes of the array, and how many of them.
    ///
    /// A length over 63 bits cannot be said; its highest bit is dropped.
    #[inline]
    pub const fn encode(&self) -> ([u8; HEADER_BYTES_MAX], usize) {
        let mut out = [0; HEADER_BYTES_MAX];
        out[0] = self.opcode as u8 | if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 };
        let mut size = match self.len {
            0..=125 => {
                out[1] = self.len as u8;
                2
            }
            126..=0xffff => {
                [out[2], out[3]] = (self.len as u16).to_be_bytes();
                out[1] = LENGTH_IN_TWO;
                4
            }
            _ => {
                let length = self.len & (u64::MAX >> 1);
                [out[2], out[3], out[4], out[5], out[6], out[7], out[8], out[9]] = length.to_be_bytes();
                out[1] = LENGTH_IN_EIGHT;
                10
            }
        };
        if let Some(key) = self.mask {
            out[1] |= MASKED;
            [out[size], out[size + 1], out[size + 2], out[size + 3]] = key;
            size += 4;
        }
        (out, size)
    }
}

/// The length that the seven bits of `short` announce, and what follows it.
#[inline]
fn decode_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, PeerError> {
    let (len, minimum, rest) = match short {
        LENGTH_IN_TWO => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from(u16::from_be_bytes(*bytes)), 126, rest),
            None => return Ok(None),
        },
        LENGTH_IN_EIGHT => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from_be_bytes(*bytes), 0x1_0000, rest),
            None => return Ok(None),
        },
        _ => return Ok(Some((u64::from(short), rest))),
    };
    if len < minimum {
        return Err(PeerError::LengthNotMinimal);
    }
    if len > u64::MAX >> 1 {
        return Err(PeerError::LengthOutOfRange);
    }
    Ok(Some((len, rest)))
}

/// Appends an unmasked frame, which is the same for every receiver: encode once, share the bytes.
///
/// A control payload is cut at [`CONTROL_BYTES_MAX`], so that no caller can write an illegal frame.
#[inline]
pub fn server_frame_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    frame_into(out, opcode, payload, None);
}

/// Appends a masked frame. The key must be drawn anew for each frame from a strong source of chance, which this
/// crate has not (section 5.3).
///
/// A control payload is cut at [`CONTROL_BYTES_MAX`], so that no caller can write an illegal frame.
#[inline]
pub fn client_frame_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: [u8; 4]) {
    frame_into(out, opcode, payload, Some(key));
}

#[inline]
pub(crate) fn frame_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) {
    let longest = if opcode.is_control() { CONTROL_BYTES_MAX } else { usize::MAX };
    let payload = &payload[..payload.len().min(longest)];
    let header = Header { mask: key, ..Header::new(opcode, payload.len() as u64) };
    let (head, size) = header.encode();
    out.reserve(size + payload.len());
    match size {
        2 => out.extend_from_slice(&[head[0], head[1]]), // The usual size, and known: one store, no call.
        _ => out.extend_from_slice(&head[..size]),
    }
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(&mut out[start..], key);
    }
}

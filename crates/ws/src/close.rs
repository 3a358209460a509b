//! Close frames: codes, and the reason beside them (RFC 6455 sections 5.5.1 and 7.4).

use std::fmt;

use crate::PeerError;
use crate::frame::{CONTROL_BYTES_MAX, Opcode, frame_into};

/// The longest reason, in bytes: what a control frame holds, less two for the code.
pub const REASON_BYTES_MAX: usize = CONTROL_BYTES_MAX - 2;

/// A code that may travel in a close frame. Codes that may not have no value of this type (section 7.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose was fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer sent a kind of data that is not understood here.
    pub const UNSUPPORTED: Self = Self(1003);
    /// A message was not what its type promises, as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A message offends a policy for which no better code exists.
    pub const POLICY: Self = Self(1008);
    /// A message is too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// A client misses an extension in the handshake's answer.
    pub const EXTENSION_MISSING: Self = Self(1010);
    /// The server met a condition that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts; clients may return (registered with IANA after the RFC).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The service is overloaded; clients may return later (registered with IANA after the RFC).
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code with this number, if it may travel: 1000 to 1014 without the reserved 1004 to 1006, and the
    /// ranges for libraries and applications, 3000 to 4999 (sections 7.4.1 and 7.4.2, and the registry of IANA).
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The payload of a close frame: nothing, a code, or a code and a reason. Always legal to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    code: Option<CloseCode>,
    reason: &'a str,
}

impl<'a> CloseFrame<'a> {
    /// A close frame without a payload; programming interfaces show it as 1005 (section 7.1.5).
    pub const EMPTY: CloseFrame<'static> = CloseFrame { code: None, reason: "" };

    /// A close frame with a code and a reason, which is cut to [`REASON_BYTES_MAX`] between two characters.
    pub fn new(code: CloseCode, reason: &'a str) -> Self {
        let reason = &reason[..reason.floor_char_boundary(REASON_BYTES_MAX)];
        Self { code: Some(code), reason }
    }

    /// Reads the payload of a received close frame.
    ///
    /// # Errors
    ///
    /// Half a code, a code that must not travel, or a reason that is not UTF-8.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, PeerError> {
        let Some((number, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() { Ok(Self::EMPTY) } else { Err(PeerError::CloseCodeCut) };
        };
        let number = u16::from_be_bytes(*number);
        let code = CloseCode::new(number).ok_or(PeerError::CloseCodeIllegal(number))?;
        let reason = str::from_utf8(reason).map_err(|_| PeerError::CloseReasonInvalidUtf8)?;
        Ok(Self { code: Some(code), reason })
    }

    /// A frame that was parsed before, of which only the parts were kept.
    pub(crate) const fn of_parts(code: Option<CloseCode>, reason: &'a str) -> Self {
        Self { code, reason }
    }

    /// The code, if the frame has one.
    pub const fn code(&self) -> Option<CloseCode> {
        self.code
    }

    /// The reason, for people and logs; empty if none was given.
    pub const fn reason(&self) -> &'a str {
        self.reason
    }

    /// Appends the frame: with a mask key if a client sends it, without if a server does.
    pub fn encode_into(&self, out: &mut Vec<u8>, mask: Option<[u8; 4]>) {
        let mut payload = [0; CONTROL_BYTES_MAX];
        let mut size = 0;
        if let Some(code) = self.code {
            payload[..2].copy_from_slice(&code.number().to_be_bytes());
            size = 2 + self.reason.len();
            payload[2..size].copy_from_slice(self.reason.as_bytes());
        }
        frame_into(out, Opcode::Close, &payload[..size], mask);
    }
}

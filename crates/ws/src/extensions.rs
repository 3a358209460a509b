//! What both sides agreed to beyond RFC 6455.

use crate::Role;
use crate::deflate::{Agreement, Side};

/// The extensions negotiated in the handshake (RFC 6455 section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extensions {
    /// Frames mean what RFC 6455 says, and nothing else.
    #[default]
    None,
    /// Messages may be compressed (RFC 7692).
    Deflate(Agreement),
}

impl Extensions {
    /// Whether an agreed extension gives the first reserved bit a meaning (RFC 7692 section 6: "compressed").
    pub const fn claim_rsv1(self) -> bool {
        match self {
            Self::None => false,
            Self::Deflate(_) => true,
        }
    }

    /// How we compress, on this side; `None` if nobody does.
    pub const fn ours(&self, role: Role) -> Option<Side> {
        match self {
            Self::None => None,
            Self::Deflate(agreement) => Some(agreement.ours(role)),
        }
    }

    /// Whether either side keeps a window between messages.
    pub const fn has_takeover(&self) -> bool {
        match self {
            Self::None => false,
            Self::Deflate(agreement) => agreement.has_takeover(),
        }
    }

    /// Whether the peer's messages may refer to those before them.
    pub(crate) const fn peer_takes_over(&self, role: Role) -> bool {
        match self {
            Self::None => false,
            Self::Deflate(agreement) => agreement.theirs(role).takeover,
        }
    }
}

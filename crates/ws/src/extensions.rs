//! What both sides agreed to beyond RFC 6455.

/// The extensions negotiated in the handshake (RFC 6455 section 9).
///
/// None is offered or accepted yet: an offer is declined by silence, which section 9.1 allows. The value travels
/// from the handshake to the [`Connection`](crate::Connection) all the same, so that `permessage-deflate`
/// (RFC 7692) becomes a variant here and a step behind the frame, and changes neither of their interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extensions {
    /// Frames mean what RFC 6455 says, and nothing else.
    #[default]
    None,
}

impl Extensions {
    /// Whether an agreed extension gives the first reserved bit a meaning (RFC 7692 section 6: "compressed").
    pub const fn claim_rsv1(self) -> bool {
        match self {
            Self::None => false,
        }
    }
}

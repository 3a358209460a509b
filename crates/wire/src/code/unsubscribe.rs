//! Why a subscription ends, and whether the client should subscribe again.

use super::UnknownCode;
use crate::message;

/// Why the server itself ends a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum UnsubscribeCode {
    /// The client asked for it. Only for records: it is never sent.
    Client = 0,
    /// The client disconnected. Only for records: it is never sent.
    Disconnect = 1,
    /// The backend has ended the subscription.
    Server = 2000,
    /// The client's picture of the channel has a hole; it should recover.
    Insufficient = 2500,
    /// The subscription ran out and was not refreshed.
    Expired = 2501,
    /// The client should forget its token and position before it subscribes again.
    StateInvalidated = 2502,
}

impl UnsubscribeCode {
    /// Every code, in order.
    pub const ALL: [Self; 6] = [
        Self::Client,
        Self::Disconnect,
        Self::Server,
        Self::Insufficient,
        Self::Expired,
        Self::StateInvalidated,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The sentence that goes with it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Client => "client unsubscribed",
            Self::Disconnect => "client disconnected",
            Self::Server => "server unsubscribe",
            Self::Insufficient => "insufficient state",
            Self::Expired => "subscription expired",
            Self::StateInvalidated => "state invalidated",
        }
    }

    /// Whether the client should subscribe again.
    pub const fn resubscribe(self) -> bool {
        resubscribes(self.code())
    }
}

/// Whether a client should subscribe again after an unsubscribe push with this code.
pub const fn resubscribes(code: u32) -> bool {
    code >= UnsubscribeCode::Insufficient.code()
}

impl TryFrom<u32> for UnsubscribeCode {
    type Error = UnknownCode;

    fn try_from(code: u32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|known| known.code() == code).ok_or(UnknownCode(code))
    }
}

impl From<UnsubscribeCode> for message::Unsubscribe {
    fn from(code: UnsubscribeCode) -> Self {
        Self { code: code.code(), reason: code.reason().to_owned() }
    }
}

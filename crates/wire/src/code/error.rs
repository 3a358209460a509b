//! Why a command was refused.

use super::UnknownCode;
use crate::message;

/// Why a command was refused, when the server itself refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum ErrorCode {
    /// Something failed that is not the client's fault.
    Internal = 100,
    /// Nobody has vouched for the client.
    Unauthorized = 101,
    /// The channel's namespace does not exist.
    UnknownChannel = 102,
    /// The client may not do this.
    PermissionDenied = 103,
    /// No such RPC method.
    MethodNotFound = 104,
    /// The client has this subscription already.
    AlreadySubscribed = 105,
    /// A limit of the server is reached.
    LimitExceeded = 106,
    /// The request makes no sense.
    BadRequest = 107,
    /// The feature is off.
    NotAvailable = 108,
    /// The token has expired; a new one may help.
    TokenExpired = 109,
    /// The session or subscription had expired before it began.
    Expired = 110,
    /// The client asks too often.
    TooManyRequests = 111,
    /// The position cannot be recovered from.
    UnrecoverablePosition = 112,
    /// Another page of the same channel is being read.
    ConcurrentPagination = 113,
}

impl ErrorCode {
    /// Every code, in order.
    pub const ALL: [Self; 14] = [
        Self::Internal,
        Self::Unauthorized,
        Self::UnknownChannel,
        Self::PermissionDenied,
        Self::MethodNotFound,
        Self::AlreadySubscribed,
        Self::LimitExceeded,
        Self::BadRequest,
        Self::NotAvailable,
        Self::TokenExpired,
        Self::Expired,
        Self::TooManyRequests,
        Self::UnrecoverablePosition,
        Self::ConcurrentPagination,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The sentence that goes with it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Internal => "internal server error",
            Self::Unauthorized => "unauthorized",
            Self::UnknownChannel => "unknown channel",
            Self::PermissionDenied => "permission denied",
            Self::MethodNotFound => "method not found",
            Self::AlreadySubscribed => "already subscribed",
            Self::LimitExceeded => "limit exceeded",
            Self::BadRequest => "bad request",
            Self::NotAvailable => "not available",
            Self::TokenExpired => "token expired",
            Self::Expired => "expired",
            Self::TooManyRequests => "too many requests",
            Self::UnrecoverablePosition => "unrecoverable position",
            Self::ConcurrentPagination => "concurrent pagination",
        }
    }

    /// Whether the same command may succeed later, so that clients try it again by themselves.
    pub const fn temporary(self) -> bool {
        matches!(self, Self::Internal | Self::TooManyRequests | Self::ConcurrentPagination)
    }
}

impl TryFrom<u32> for ErrorCode {
    type Error = UnknownCode;

    fn try_from(code: u32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|known| known.code() == code).ok_or(UnknownCode(code))
    }
}

impl From<ErrorCode> for message::Error {
    fn from(code: ErrorCode) -> Self {
        Self {
            code: code.code(),
            message: code.reason().to_owned(),
            temporary: code.temporary(),
            sw_retry_after: 0,
        }
    }
}

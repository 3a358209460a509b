//! Why a session ends, and whether the client should come back.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::UnknownCode;
use crate::json::is_json;
use crate::message;

/// Why the server itself ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum DisconnectCode {
    /// The connection went away without advice. Only for records: it is never sent.
    ConnectionClosed = 3000,
    /// The server is shutting down.
    Shutdown = 3001,
    /// Something failed that is not the client's fault.
    InternalServerError = 3004,
    /// The session's token ran out and was not refreshed.
    ConnectionExpired = 3005,
    /// A server-side subscription ran out.
    SubscriptionExpired = 3006,
    /// The client reads more slowly than it is sent to.
    Slow = 3008,
    /// Writing to the client failed or took too long.
    WriteError = 3009,
    /// The client's picture of a channel has a hole.
    InsufficientState = 3010,
    /// The client should connect anew.
    ForceReconnect = 3011,
    /// A ping was not answered in time.
    NoPong = 3012,
    /// The client asks too often.
    TooManyRequests = 3013,
    /// The client should forget its token and positions before it connects anew.
    StateInvalidated = 3014,
    /// The token is not one that we accept.
    InvalidToken = 3500,
    /// The client broke the protocol.
    BadRequest = 3501,
    /// The client connected but never said who it is.
    Stale = 3502,
    /// The backend has ended the session.
    ForceNoReconnect = 3503,
    /// The user has too many sessions.
    ConnectionLimit = 3504,
    /// The session has too many channels.
    ChannelLimit = 3505,
    /// What must be sent cannot be said in this client's encoding.
    InappropriateProtocol = 3506,
    /// The client may not connect.
    PermissionDenied = 3507,
    /// The feature is off.
    NotAvailable = 3508,
    /// The client caused too many errors.
    TooManyErrors = 3509,
}

impl DisconnectCode {
    /// Every code, in order.
    pub const ALL: [Self; 22] = [
        Self::ConnectionClosed,
        Self::Shutdown,
        Self::InternalServerError,
        Self::ConnectionExpired,
        Self::SubscriptionExpired,
        Self::Slow,
        Self::WriteError,
        Self::InsufficientState,
        Self::ForceReconnect,
        Self::NoPong,
        Self::TooManyRequests,
        Self::StateInvalidated,
        Self::InvalidToken,
        Self::BadRequest,
        Self::Stale,
        Self::ForceNoReconnect,
        Self::ConnectionLimit,
        Self::ChannelLimit,
        Self::InappropriateProtocol,
        Self::PermissionDenied,
        Self::NotAvailable,
        Self::TooManyErrors,
    ];

    /// The number on the wire: the WebSocket close code, or the field of a disconnect push.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The sentence that goes with it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ConnectionClosed => "connection closed",
            Self::Shutdown => "shutdown",
            Self::InternalServerError => "internal server error",
            Self::ConnectionExpired => "connection expired",
            Self::SubscriptionExpired => "subscription expired",
            Self::Slow => "slow",
            Self::WriteError => "write error",
            Self::InsufficientState => "insufficient state",
            Self::ForceReconnect => "force reconnect",
            Self::NoPong => "no pong",
            Self::TooManyRequests => "too many requests",
            Self::StateInvalidated => "state invalidated",
            Self::InvalidToken => "invalid token",
            Self::BadRequest => "bad request",
            Self::Stale => "stale",
            Self::ForceNoReconnect => "force disconnect",
            Self::ConnectionLimit => "connection limit",
            Self::ChannelLimit => "channel limit",
            Self::InappropriateProtocol => "inappropriate protocol",
            Self::PermissionDenied => "permission denied",
            Self::NotAvailable => "not available",
            Self::TooManyErrors => "too many errors",
        }
    }

    /// Whether the client should come back.
    pub const fn reconnect(self) -> bool {
        reconnects(self.code())
    }
}

impl TryFrom<u32> for DisconnectCode {
    type Error = UnknownCode;

    fn try_from(code: u32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|known| known.code() == code).ok_or(UnknownCode(code))
    }
}

/// Whether a client that was let go with this code should come back: the rule that every SDK follows.
///
/// Terminal are 3500–3999 and, of the applications' codes, 4500–4999. Below 3000 are the transport's own
/// codes, after which clients come back too.
pub const fn reconnects(code: u32) -> bool {
    !matches!(code, 3500..=3999 | 4500..=4999)
}

/// What stands before and behind the milliseconds in the sentence of [`DisconnectReason::shutdown`].
const RETRY_IN: &str = "retry in ";
const RETRY_UNIT: &str = " ms";

/// After how long a client is to come back, if the sentence with which it was let go says so: the reading of
/// [`DisconnectReason::shutdown`], and of a backend that says the same.
pub fn told_to_retry_in(reason: &str) -> Option<Duration> {
    let (_, told) = reason.split_once(RETRY_IN)?;
    let (millis, _) = told.split_once(RETRY_UNIT)?;
    millis.parse().ok().map(Duration::from_millis)
}

/// Why a session ends: a code of the protocol or of the application, with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisconnectReason {
    code: u32,
    text: Cow<'static, str>,
}

impl DisconnectReason {
    /// Most bytes in the sentence: what a WebSocket close frame can carry beside the code (RFC 6455,
    /// section 5.5).
    pub const TEXT_BYTES_MAX: usize = 123;

    /// A reason of the application's choice.
    ///
    /// # Errors
    ///
    /// If the code is outside of 3000–4999, or if the text is longer than
    /// [`TEXT_BYTES_MAX`](Self::TEXT_BYTES_MAX), or if it would be valid JSON: clients take that for the
    /// protocol's first version, in which the reason was an object, and go astray.
    pub fn new(code: u32, text: impl Into<Cow<'static, str>>) -> Result<Self, InvalidDisconnect> {
        let text = text.into();
        if !(3000..=4999).contains(&code) {
            return Err(InvalidDisconnect::Code(code));
        }
        if text.len() > Self::TEXT_BYTES_MAX {
            return Err(InvalidDisconnect::TextTooLong(text.len()));
        }
        if is_json(text.as_bytes()) {
            return Err(InvalidDisconnect::TextIsJson);
        }
        Ok(Self { code, text })
    }

    /// The node ends, and this client is to come back after so long: others come at other moments. Only clients that asked
    /// for our extensions are told; a close frame has no other place for it than the sentence.
    pub fn shutdown(come_back_in: Duration) -> Self {
        let told = format!(
            "{}, {RETRY_IN}{}{RETRY_UNIT}",
            DisconnectCode::Shutdown.reason(),
            come_back_in.as_millis()
        );
        Self { code: DisconnectCode::Shutdown.code(), text: Cow::Owned(told) }
    }

    /// The number on the wire.
    pub const fn code(&self) -> u32 {
        self.code
    }

    /// The sentence, at most [`TEXT_BYTES_MAX`](Self::TEXT_BYTES_MAX) bytes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the client should come back.
    pub const fn reconnect(&self) -> bool {
        reconnects(self.code)
    }
}

impl From<DisconnectCode> for DisconnectReason {
    fn from(code: DisconnectCode) -> Self {
        Self { code: code.code(), text: Cow::Borrowed(code.reason()) }
    }
}

impl From<&DisconnectReason> for message::Disconnect {
    fn from(reason: &DisconnectReason) -> Self {
        Self { code: reason.code(), reason: reason.text().to_owned(), reconnect: false }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Why something cannot be a [`DisconnectReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidDisconnect {
    /// The code is outside of 3000–4999.
    Code(u32),
    /// The text has this many bytes, more than a close frame carries.
    TextTooLong(usize),
    /// The text is valid JSON.
    TextIsJson,
}

impl fmt::Display for InvalidDisconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "disconnect code {code} is outside of 3000 to 4999"),
            Self::TextTooLong(bytes) => {
                write!(
                    f,
                    "disconnect reason has {bytes} bytes, but at most {} fit",
                    DisconnectReason::TEXT_BYTES_MAX
                )
            }
            Self::TextIsJson => {
                f.write_str("disconnect reason is valid JSON, which clients misread; use plain words")
            }
        }
    }
}

impl std::error::Error for InvalidDisconnect {}

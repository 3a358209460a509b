//! What can go wrong, and when it is told.

use std::fmt;
use std::path::PathBuf;

use spanwire_client_core::CallError;

/// Why a client could not be made. Nothing of this gets better by trying again.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is none of a server: why.
    Url(String),
    /// The address wants TLS, and this crate was built without its feature `tls`.
    NoTls,
    /// The authorities that may vouch for the server cannot be read: from where, and why.
    CaFile(PathBuf, String),
    /// The system has no list of authorities that vouch for servers. Install `ca-certificates`, or name the authority of
    /// your server with [`Builder::ca_file`](crate::Builder::ca_file).
    NoAuthorities,
    /// TLS cannot be set up with what was given.
    Tls(String),
    /// The system has no chance to give, of which keys and waits are made.
    NoChance(String),
    /// None of the transports that it may take is possible: over HTTP there is need of the feature `fallback`, and
    /// server-sent events speak no Protobuf.
    NoTransports,
}

/// Why a call came to nothing.
#[derive(Debug)]
pub enum Error {
    /// What should be sent is no payload: it cannot be JSON, or is not. Nothing was sent.
    Unsendable(serde_json::Error),
    /// The server did not do it, or we do not know.
    Call(CallError),
    /// The server's answer is something else than was asked for.
    Unreadable(serde_json::Error),
}

impl Error {
    /// The code by which the server refused, if it did.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Call(CallError::Refused(error)) => Some(error.code),
            _ => None,
        }
    }

    /// Whether nothing is wrong with the call itself, so that trying again later may help. Something that was
    /// [sent and not acknowledged](CallError::Unacknowledged) may have been done all the same.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Call(CallError::Refused(error)) => error.temporary,
            Self::Call(
                CallError::Unacknowledged | CallError::Expired | CallError::Full | CallError::Offline,
            ) => true,
            Self::Call(CallError::Closed | CallError::Nonsense) => false,
            Self::Unsendable(_) | Self::Unreadable(_) => false,
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => {
                write!(f, "{why}; write the address as wss://example.org/connection/websocket")
            }
            Self::NoTls => f.write_str("the address wants TLS: build spanwire-client with its feature tls"),
            Self::CaFile(path, why) => write!(f, "{}: {why}", path.display()),
            Self::NoAuthorities => f.write_str(
                "this system has no list of authorities that vouch for servers: install ca-certificates, or name a ca_file",
            ),
            Self::Tls(why) => write!(f, "TLS cannot be set up: {why}"),
            Self::NoChance(why) => write!(f, "the system gives no random bytes: {why}"),
            Self::NoTransports => f.write_str("none of the transports is possible with this encoding and these features of spanwire-client"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsendable(error) => write!(f, "this cannot be sent: {error}"),
            Self::Call(error) => error.fmt(f),
            Self::Unreadable(error) => write!(f, "the answer is something else than was asked for: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unsendable(error) | Self::Unreadable(error) => Some(error),
            Self::Call(error) => Some(error),
        }
    }
}

//! Why somebody is not let in, or may not do something.

use std::time::Duration;

use spanwire_wire::message::Error;
use spanwire_wire::{DisconnectCode, DisconnectReason, ErrorCode};

/// Why somebody is not let in, or may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An error reply.
    Error(ErrorCode),
    /// The end of the connection.
    Disconnect(DisconnectCode),
    /// An error reply in the backend's words.
    Worded(Box<Error>),
    /// The end of the connection, with a code and words of the backend's.
    Ended(DisconnectReason),
    /// An error reply that asks to come back, not before this time; whoever decided that has spread those it sent away.
    Later(Duration),
}

impl Refusal {
    /// Whether the same may be granted later: it says nothing against who asks.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Later(_) => true,
            Self::Error(code) => code.temporary(),
            Self::Worded(error) => error.temporary,
            Self::Disconnect(_) | Self::Ended(_) => false,
        }
    }

    /// The error reply; `None` if the connection ends instead. Only a client with our extensions is told a time in a
    /// field of its own.
    pub(crate) fn into_error(self, extended: bool) -> Result<Error, DisconnectReason> {
        match self {
            Self::Error(code) => Ok(code.into()),
            Self::Worded(error) => Ok(*error),
            Self::Later(wait) => {
                let millis = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
                let sw_retry_after = if extended { millis } else { 0 };
                // Any other client has people who read its log.
                let message = format!("{}: try again in {millis} ms", ErrorCode::TooManyRequests.reason());
                Ok(Error { message, sw_retry_after, ..ErrorCode::TooManyRequests.into() })
            }
            Self::Disconnect(code) => Err(code.into()),
            Self::Ended(reason) => Err(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_as_temporary_as_the_backend_says_in_its_words() {
        for temporary in [true, false] {
            let error = Error { code: 1000, message: "not now".to_owned(), temporary, ..Error::default() };
            assert_eq!(Refusal::Worded(Box::new(error)).is_temporary(), temporary);
        }
    }
}

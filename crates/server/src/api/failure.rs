//! What goes wrong with a call.

use serde::{Deserialize, Serialize};
use spanwire_hub::broker::BrokerError;
use spanwire_wire::ErrorCode;

use crate::engine::Stopped;

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The body is not what the method reads (status 400).
    Malformed(String),
    /// The method says no (status 200, in the body).
    Refused(ErrorCode),
}

impl Failure {
    /// The error code of it, which the metrics count and which answers for a part of a call.
    pub(super) fn reason(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::BadRequest,
            Self::Refused(code) => *code,
        }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code)
    }
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::Refused(ErrorCode::Internal)
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::Refused(match error {
            BrokerError::UnrecoverablePosition => ErrorCode::UnrecoverablePosition,
            BrokerError::Unavailable => ErrorCode::Internal,
        })
    }
}

/// Reads a body, or the part of it that one reader knows.
///
/// # Errors
/// [`Failure::Malformed`] if it is not a JSON object with fields of the right kinds.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    // The derived readers would take an array of the fields' values as well.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Failure::Malformed("The body must be a JSON object.".to_owned()));
    }
    // A reader would skip what it does not look at without a look at its bytes (RFC 8259 section 8.1).
    let text = std::str::from_utf8(body)
        .map_err(|error| Failure::Malformed(format!("The body is not UTF-8: {error}.")))?;
    serde_json::from_str(text)
        .map_err(|error| Failure::Malformed(format!("The body is not understood: {error}.")))
}

/// Writes a result.
pub(super) fn write(result: &impl Serialize) -> Result<String, Failure> {
    // Only maps whose keys are no text fail, and there are none.
    serde_json::to_string(result).map_err(|_| Failure::Refused(ErrorCode::Internal))
}

/// The error object of this code.
pub(super) fn error(code: ErrorCode) -> String {
    serde_json::json!({ "code": code.code(), "message": code.reason() }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Body {
        channel: String,
    }

    #[test]
    fn a_body_is_an_object_and_garbage_is_told_with_its_place() {
        assert_eq!(parse::<Body>(b" {}"), Ok(Body::default()));
        for body in
            [b"".as_slice(), b"hello", b"[]", b"null", b"{\"channel\":", b"{}{}", b"{\"later\":\"\xff\"}"]
        {
            assert!(matches!(parse::<Body>(body), Err(Failure::Malformed(_))));
        }
        assert_eq!(parse::<Body>(br#"{"channel":"a","later":[]}"#), Ok(Body { channel: "a".to_owned() }));
        let Err(Failure::Malformed(trouble)) = parse::<Body>(b"{\"channel\": 5}") else { panic!() };
        assert!(trouble.contains("line 1 column"), "{trouble}");
    }
}

//! What goes wrong with a call.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use spanwire_hub::broker::BrokerError;
use spanwire_wire::ErrorCode;

use crate::auth::ListFull;
use crate::engine::Stopped;

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The body is not what the method reads (status 400).
    Malformed(String),
    /// The method says no (status 200, in the body).
    Refused(ErrorCode),
}

/// How a caller is told why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct ApiError {
    /// 100 internal server error, 102 unknown channel, 104 method not found, 106 limit exceeded, 107 bad request,
    /// 108 not available, 111 too many requests, 112 unrecoverable position.
    code: u32,
    /// The same in words.
    message: &'static str,
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

impl From<ListFull> for Failure {
    fn from(_: ListFull) -> Self {
        Self::Refused(ErrorCode::LimitExceeded)
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::Refused(match error {
            BrokerError::UnrecoverablePosition => ErrorCode::UnrecoverablePosition,
            BrokerError::Unavailable => ErrorCode::Internal,
            BrokerError::TooMany(_) => ErrorCode::TooManyRequests,
            BrokerError::Full => ErrorCode::LimitExceeded,
        })
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self { code: code.code(), message: code.reason() }
    }
}

/// Writes a result.
pub(super) fn write(result: &impl Serialize) -> Result<Box<RawValue>, Failure> {
    // Only maps whose keys are no text fail, and there are none.
    to_raw_value(result).map_err(|_| Failure::Refused(ErrorCode::Internal))
}

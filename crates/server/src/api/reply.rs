//! How an outcome travels: under status 200 with the error in the body, or, for who prefers that, under a status that
//! says what happened.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use spanwire_wire::ErrorCode;

use super::failure::{ApiError, Failure};
use crate::edge::plain;

/// The header by which one request asks for the other way.
const HEADER: &str = "x-centrifugo-error-mode";

/// How errors travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorMode {
    /// As `{"error": …}` under status 200.
    Body,
    /// As the error itself under a status of its own.
    Transport,
}

impl ErrorMode {
    /// The words of the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("", Self::Body), ("transport", Self::Transport)];

    /// What holds for this request: what it says, or what the configuration does.
    pub(super) fn of(self, headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(value) if value == "transport" => Self::Transport,
            _ => self,
        }
    }

    /// Answers one call. `is_bare` is a result that stands at the top, not below `result`.
    pub(super) fn answer(self, outcome: Result<Box<RawValue>, Failure>, is_bare: bool) -> Response {
        match outcome {
            Ok(result) if is_bare => json(StatusCode::OK, result.get().to_owned()),
            Err(Failure::Malformed(trouble)) => plain(StatusCode::BAD_REQUEST, trouble),
            Err(Failure::Refused(code)) => self.refuse(code),
            outcome => json(StatusCode::OK, envelope(&outcome)),
        }
    }

    /// Says no, for a method that was reached.
    fn refuse(self, code: ErrorCode) -> Response {
        match self {
            Self::Body => json(StatusCode::OK, envelope(&Err(code.into()))),
            Self::Transport => json(status_of(code), written(code)),
        }
    }

    /// Says that a call came too soon, and when it may come again.
    pub(super) fn turn_away(self, status: StatusCode, wait: Duration) -> Response {
        let code = ErrorCode::TooManyRequests;
        let mut response = match self {
            Self::Body => json(status, envelope(&Err(code.into()))),
            Self::Transport => json(status, written(code)),
        };
        // Whole seconds (RFC 9110 section 10.2.3), and not a moment too soon.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        response
    }
}

/// `{"result": …}` or `{"error": …}`.
pub(super) fn envelope(outcome: &Result<Box<RawValue>, Failure>) -> String {
    match outcome {
        Ok(result) => format!("{{\"result\":{result}}}"),
        Err(failure) => format!("{{\"error\":{}}}", written(failure.reason())),
    }
}

/// The error itself. A number and words, in which nothing could fail.
fn written(code: ErrorCode) -> String {
    serde_json::to_string(&ApiError::from(code)).unwrap_or_default()
}

/// The status that says what an error does.
fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UnknownChannel | ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
        ErrorCode::BadRequest | ErrorCode::NotAvailable => StatusCode::BAD_REQUEST,
        ErrorCode::UnrecoverablePosition => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorCode::ConcurrentPagination => StatusCode::CONFLICT,
        ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) fn json(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

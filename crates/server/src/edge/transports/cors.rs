//! Which pages may use the transports, by the rules of browsers (the Fetch standard, "HTTP CORS protocol").
//!
//! The rules are those of WebSockets, `client.allowed_origins`. A page that they do not name is refused, and not only
//! left without the headers that would let it read the answer: by then it would have a session.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HOST, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use http::{StatusCode, header};

use super::Place;
use crate::auth::OriginRefusal;
use crate::edge::Edge;
use crate::edge::upgrade::the_only;

/// How long a browser may remember that it was allowed, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("300");

/// The page that asks, or a program that is none, once that is allowed.
pub(super) struct Page {
    origin: Option<HeaderValue>,
}

impl Page {
    /// Lets in those whom the rules allow.
    ///
    /// # Errors
    /// The refusal, which names the line of the configuration that would let the page in.
    pub(super) fn admit(edge: &Edge, headers: &HeaderMap) -> Result<Self, OriginRefusal> {
        let origin = headers.get(ORIGIN).cloned();
        let host = the_only(headers, &HOST);
        // An origin that is repeated or no text is nobody's, and must not count as none.
        let said = match (&origin, the_only(headers, &ORIGIN)) {
            (Some(_), None) => Some(""),
            (_, said) => said,
        };
        edge.origins.check(said, host)?;
        Ok(Self { origin })
    }

    /// Lets the page read the answer.
    pub(super) fn welcome(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_name(header::ORIGIN));
        if let Some(origin) = self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// The answer to a browser that asks before it asks.
pub(super) fn preflight(place: Place, asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(place.methods()));
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

//! The line to the endpoint: one HTTP request at a time, on a connection that is kept.

use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};

use super::persistence::Outcome;
use super::settings::Recipient;
use super::{signature, unix_ms};
use crate::http_client::{HttpClient, causes, distrust};

/// Longest answer that is read, in bytes: nothing in it matters but that the connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The way to the endpoint.
#[derive(Debug)]
pub(crate) struct Line {
    client: HttpClient,
    recipient: Recipient,
}

impl Line {
    /// # Errors
    /// There are no certificates that an `https` endpoint could be known by.
    pub(super) fn new(recipient: Recipient) -> io::Result<Self> {
        Ok(Self { client: recipient.service.client(recipient.timeout, 1)?, recipient })
    }

    /// Brings one request, and waits for the answer or until its time is over.
    pub(super) async fn post(&self, body: Bytes) -> Result<(), Failure> {
        let Recipient { service, secret, timeout } = &self.recipient;
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = service.endpoint.clone();
        let headers = request.headers_mut();
        *headers = service.static_headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = secret {
            let signature = signature::sign(secret, unix_ms() / 1000, &body);
            let signature =
                HeaderValue::try_from(signature).map_err(|error| Failure::Silence(error.to_string()))?;
            headers.insert(signature::HEADER, signature);
        }
        match tokio::time::timeout(*timeout, self.fetch(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Silence(format!("no answer within {timeout:?}"))),
        }
    }

    async fn fetch(&self, request: Request<Full<Bytes>>) -> Result<(), Failure> {
        let response = self.client.request(request).await;
        let response = response.map_err(|error| match distrust(&error) {
            Some(why) => Failure::Untrusted(why),
            None => Failure::Silence(causes(&error)),
        })?;
        if !response.status().is_success() {
            let wish = retry_after(response.headers(), SystemTime::now());
            return Err(Failure::Status(response.status(), wish));
        }
        // The endpoint has said that it has them; whatever else it says, or fails to say, changes nothing.
        let _ = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok(())
    }
}

/// Why a request was not taken; the text is for the operator.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing came, or nothing in time.
    Silence(String),
    /// Somebody was reached whose certificate nobody vouches for whom we trust. It was told nothing.
    Untrusted(String),
    /// A status that is no success, and for how long the endpoint wishes to be left alone if it said so.
    Status(StatusCode, Option<Duration>),
}

impl Failure {
    pub(super) fn name(&self) -> &'static str {
        match (self, self.outcome()) {
            (Self::Silence(_), _) => "silence",
            (Self::Untrusted(_), _) => "untrusted",
            (Self::Status(..), Outcome::Refused) => "refused",
            (Self::Status(..), _) => "status",
        }
    }

    /// What it means. Only these statuses say of the content that it cannot be taken: everything else may be a key that is
    /// being changed, a route that is being deployed, or a backend that is unwell.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Status(
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY,
                _,
            ) => Outcome::Refused,
            Self::Status(_, wish) => Outcome::Unwell { wish: *wish },
            Self::Silence(_) | Self::Untrusted(_) => Outcome::Unwell { wish: None },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silence(why) | Self::Untrusted(why) => f.write_str(why),
            Self::Status(status, _) => write!(f, "status {status}"),
        }
    }
}

/// What `Retry-After` says: seconds, or a date (RFC 9110, section 10.2.3). One that says neither says nothing.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(said).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_in_seconds_or_a_date_or_none() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (said, wish) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("99999999999999999999", None),
            ("tomorrow", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(said))]);
            assert_eq!(retry_after(&headers, now), wish.map(Duration::from_secs), "{said}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}

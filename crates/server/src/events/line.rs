//! The line to the endpoint: one HTTP request at a time, on a connection that is kept.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
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
            return Err(Failure::Status(response.status()));
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
    /// A status that is no success.
    Status(StatusCode),
}

impl Failure {
    pub(super) fn name(&self) -> &'static str {
        match (self, self.outcome()) {
            (Self::Silence(_), _) => "silence",
            (Self::Untrusted(_), _) => "untrusted",
            (Self::Status(_), Outcome::Refused) => "refused",
            (Self::Status(_), _) => "status",
        }
    }

    /// What it means. Only these statuses say of the content that it cannot be taken: everything else may be a key that is
    /// being changed, a route that is being deployed, or a backend that is unwell.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Status(
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY,
            ) => Outcome::Refused,
            _ => Outcome::Unwell,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silence(why) | Self::Untrusted(why) => f.write_str(why),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

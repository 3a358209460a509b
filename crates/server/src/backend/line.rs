//! The line to one proxy: HTTP requests on connections that are kept and used again.

use std::io;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};

use super::headers::Forwarded;
use super::proxy::ProxySettings;
use crate::http_client::{self, HttpClient, causes};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Asks one proxy.
#[derive(Debug)]
pub(super) struct Line {
    client: HttpClient,
    settings: ProxySettings,
}

/// Why there is no answer; the text is for the operator.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing came, or nothing in time.
    Silence(String),
    /// Another status than 200.
    Status(StatusCode),
    /// The answer is too long, or broke off.
    Broken(String),
}

impl Line {
    /// # Errors
    /// The endpoint is `https`, and this machine has no certificates to trust.
    pub(super) fn new(settings: ProxySettings) -> io::Result<Self> {
        let is_https = settings.endpoint.scheme_str() == Some("https");
        let client = http_client::build(is_https, settings.timeout, settings.limits.in_flight_max)?;
        Ok(Self { client, settings })
    }

    pub(super) fn settings(&self) -> &ProxySettings {
        &self.settings
    }

    /// Asks, and waits for the whole answer or until its time is over.
    pub(super) async fn ask(&self, body: Bytes, headers: Option<&Forwarded>) -> Result<Bytes, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.settings.endpoint.clone();
        *request.headers_mut() = self.headers(headers);
        match tokio::time::timeout(self.settings.timeout, self.fetch(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Silence(format!("no answer within {:?}", self.settings.timeout))),
        }
    }

    async fn fetch(&self, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
        let silence = |error: hyper_util::client::legacy::Error| Failure::Silence(causes(&error));
        let response = self.client.request(request).await.map_err(silence)?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| Failure::Broken(causes(&*error)))
    }

    fn headers(&self, forwarded: Option<&Forwarded>) -> HeaderMap {
        let mut headers = self.settings.static_headers.clone();
        if let Some(forwarded) = forwarded {
            forwarded.add_to(&mut headers, &self.settings.headers);
        }
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json.clone());
        headers.entry(ACCEPT).or_insert(json);
        headers
    }
}

/// Whether an endpoint is one that can be asked.
pub(crate) fn is_endpoint(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
}

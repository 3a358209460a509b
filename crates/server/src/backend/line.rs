//! The line to one proxy: a handler in this process, or HTTP requests on connections that are kept and used again.

use std::io;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};

use super::handler::{Handler, Said};
use super::headers::Forwarded;
use super::proxy::{ProxySettings, Respondent};
use super::question::Question;
use crate::http_client::{HttpClient, Service, causes, distrust};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Asks one proxy.
#[derive(Debug)]
pub(super) struct Line {
    way: Way,
    settings: ProxySettings,
}

/// How a proxy is asked.
#[derive(Debug)]
enum Way {
    Http { client: HttpClient, service: Service },
    Call(Handler),
}

/// What came of a question.
pub(super) enum Outcome {
    /// It could not even be asked: the client sent what is not JSON.
    NotJson,
    /// A service was asked: the body of its answer.
    Asked(Result<Bytes, Failure>),
    /// A handler was asked: what it says.
    Said(Result<Said, Failure>),
}

/// Why there is no answer; the text is for the operator.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing came, or nothing in time.
    Silence(String),
    /// Somebody was reached whose certificate nobody vouches for whom we trust. It was told nothing.
    Untrusted(String),
    /// Another status than 200.
    Status(StatusCode),
    /// The answer is too long, or broke off.
    Broken(String),
    /// The handler panicked. Others of the same kind may well succeed.
    Panicked,
}

impl Line {
    /// # Errors
    /// The endpoint is `https`, and this machine has no certificates to trust.
    pub(super) fn new(settings: ProxySettings) -> io::Result<Self> {
        let way = match &settings.respondent {
            Respondent::Handler(handler) => Way::Call(handler.clone()),
            Respondent::Service(service) => {
                let client = service.client(settings.timeout, settings.limits.in_flight_max)?;
                Way::Http { client, service: service.clone() }
            }
        };
        Ok(Self { way, settings })
    }

    pub(super) fn settings(&self) -> &ProxySettings {
        &self.settings
    }

    /// Asks, and waits for the whole answer or until its time is over.
    pub(super) async fn ask(&self, question: &Question) -> Outcome {
        match &self.way {
            Way::Call(handler) => Outcome::Said(self.in_time(handler.ask(question.into())).await),
            Way::Http { client, service } => match question.body(self.settings.form()) {
                Ok(body) => {
                    let request = self.request(service, body, question.connection.headers.as_deref());
                    Outcome::Asked(self.in_time(fetch(client, request)).await)
                }
                Err(_) => Outcome::NotJson,
            },
        }
    }

    async fn in_time<T>(&self, asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.settings.timeout, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Silence(format!("no answer within {:?}", self.settings.timeout))),
        }
    }

    fn request(&self, service: &Service, body: Bytes, forwarded: Option<&Forwarded>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = service.endpoint.clone();
        *request.headers_mut() = self.headers(&service.static_headers, forwarded);
        request
    }

    fn headers(&self, of_every_request: &HeaderMap, forwarded: Option<&Forwarded>) -> HeaderMap {
        let mut headers = of_every_request.clone();
        if let Some(forwarded) = forwarded {
            forwarded.add_to(&mut headers, &self.settings.headers);
        }
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json.clone());
        headers.entry(ACCEPT).or_insert(json);
        headers
    }
}

async fn fetch(client: &HttpClient, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
    let response = client.request(request).await.map_err(|error| match distrust(&error) {
        Some(why) => Failure::Untrusted(why),
        None => Failure::Silence(causes(&error)),
    })?;
    if response.status() != StatusCode::OK {
        return Err(Failure::Status(response.status()));
    }
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    body.map(|body| body.to_bytes()).map_err(|error| Failure::Broken(causes(&*error)))
}

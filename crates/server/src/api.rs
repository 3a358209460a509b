//! The server API: what a backend asks of Spanwire, at `POST /api/<method>`, in Centrifugo's shapes.
//!
//! One file per method. A body is read into a [`Request`], which asks nobody; then the request asks the engine, and
//! returns what becomes `{"result": …}`, or a code that becomes `{"error": {"code": …, "message": …}}`; both travel under
//! status 200, as Centrifugo's do. Other statuses mean that no method was reached.

mod batch;
mod broadcast;
mod channels;
mod disconnect;
mod failure;
mod history;
mod history_remove;
mod info;
mod key;
mod method;
mod payload;
mod place;
mod presence;
mod presence_stats;
mod publish;
mod refresh;
mod request;
mod subscribe;
mod target;
mod unsubscribe;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method as HttpMethod, StatusCode};
use spanwire_hub::channel::Channel;
use spanwire_hub::namespace::{Namespace, Namespaces};
use spanwire_wire::ErrorCode;

pub use self::batch::{Batch, COMMANDS_MAX};
pub use self::broadcast::{Broadcast, CHANNELS_MAX};
pub use self::channels::Channels;
pub use self::disconnect::Disconnect;
pub use self::failure::Failure;
pub use self::history::History;
pub use self::history_remove::HistoryRemove;
pub use self::info::Info;
pub(crate) use self::key::{ApiKey, Keyring, Scope};
pub use self::method::Method;
pub use self::presence::Presence;
pub use self::presence_stats::PresenceStats;
pub use self::publish::{Article, IDEMPOTENCY_KEY_BYTES_MAX, Publish};
pub use self::refresh::Refresh;
pub use self::request::Request;
pub use self::subscribe::Subscribe;
pub use self::unsubscribe::Unsubscribe;
use crate::config::Settings;
use crate::edge::limits::BODY_BYTES_MAX;
use crate::edge::{body, plain};
use crate::engine::EngineHandle;
use crate::metrics::EdgeCounters;

/// Answers the calls of backends.
pub(crate) struct Api {
    keys: Keyring,
    rules: Rules,
    counters: Arc<EdgeCounters>,
}

/// What the methods know of the configuration and of the node.
struct Rules {
    namespaces: Namespaces,
    channel_name_bytes_max: usize,
    uid: String,
    started: Instant,
}

/// What a method works with: the rules, and the engine that does the work.
#[derive(Clone, Copy)]
struct World<'a> {
    rules: &'a Rules,
    engine: &'a EngineHandle,
}

impl Api {
    pub(crate) fn new(settings: &Settings, uid: String, counters: Arc<EdgeCounters>) -> Self {
        let rules = Rules {
            namespaces: settings.namespaces.clone(),
            channel_name_bytes_max: settings.limits.channel_name_bytes_max,
            uid,
            started: Instant::now(),
        };
        Self { keys: settings.http_api_keys.clone(), rules, counters }
    }

    /// Answers one call.
    pub(crate) async fn answer(
        &self,
        engine: &EngineHandle,
        name: &str,
        request: axum::extract::Request,
    ) -> Response {
        if request.method() != HttpMethod::POST {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "The server API is called with POST.");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let Some(scope) = self.keys.scope_of(request.headers(), request.uri()) else {
            return Response::builder()
                .status(StatusCode::UNAUTHORIZED)
                .body(Body::empty())
                .unwrap_or_default();
        };
        let Some(method) = Method::named(name) else {
            let names: Vec<_> = Method::ALL.iter().map(|method| method.name()).collect();
            let text = format!("The server API has no such method. It has: {}.", names.join(", "));
            return plain(StatusCode::NOT_FOUND, text);
        };
        let body = match body::read(request.into_body(), BODY_BYTES_MAX).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let outcome = match Request::read(method, &body) {
            Ok(request) if !scope.allows(&request) => {
                let text = "This key may not ask for that: http_api.keys says what its scope is.";
                return plain(StatusCode::FORBIDDEN, text);
            }
            Ok(request) => request.answer(World { rules: &self.rules, engine }).await,
            Err(failure) => Err(failure),
        };
        self.counters.api_called(
            method.name(),
            outcome.as_ref().map_or_else(|failure| failure.reason().code(), |_| 0),
        );
        match outcome {
            // Centrifugo's batch has its replies at the top.
            Ok(result) if method == Method::Batch => json(result),
            Ok(result) => json(format!("{{\"result\":{result}}}")),
            Err(Failure::Refused(code)) => json(format!("{{\"error\":{}}}", failure::error(code))),
            Err(Failure::Malformed(trouble)) => plain(StatusCode::BAD_REQUEST, trouble),
        }
    }
}

impl World<'_> {
    /// The channel of this name and its namespace.
    fn channel(&self, name: &str) -> Result<(Channel, &Namespace), ErrorCode> {
        if name.len() > self.rules.channel_name_bytes_max {
            return Err(ErrorCode::BadRequest);
        }
        let namespace = self.rules.namespaces.of(name)?;
        Ok((Channel::new(name), namespace))
    }
}

fn json(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

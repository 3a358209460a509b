//! The server API: what a backend asks of Spanwire, at `POST /api/<method>`, in Centrifugo's shapes.
//!
//! One file per method, and one table of them (`method.rs`). A body is read into a [`Request`], which asks nobody; then
//! the request asks the engine, and returns what becomes `{"result": …}`, or a code that becomes
//! `{"error": {"code": …, "message": …}}`; both travel under status 200, as Centrifugo's do, unless somebody prefers
//! statuses for errors (`reply.rs`). Other statuses mean that no method was reached.

mod access;
mod allowance;
mod batch;
mod block_user;
mod broadcast;
mod call;
mod channels;
mod disconnect;
mod failure;
mod history;
mod history_remove;
mod info;
mod invalidate_user_tokens;
mod key;
mod lines;
mod method;
mod openapi;
mod payload;
mod place;
mod presence;
mod presence_stats;
mod publish;
mod refresh;
mod reply;
mod revocation;
mod revoke_token;
mod rpc;
mod subscribe;
mod target;
mod unblock_user;
mod unsubscribe;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::{Method as HttpMethod, StatusCode};
use serde_json::value::RawValue;
use spanwire_hub::channel::Channel;
use spanwire_hub::namespace::{Namespace, Namespaces};
use spanwire_wire::ErrorCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::access::Access;
pub(crate) use self::access::CurrentAccess;
pub(crate) use self::allowance::Allowance;
pub use self::batch::{Batch, COMMANDS_MAX};
pub use self::block_user::BlockUser;
pub use self::broadcast::{Broadcast, CHANNELS_MAX};
pub use self::channels::Channels;
pub use self::disconnect::Disconnect;
pub use self::failure::Failure;
pub use self::history::History;
pub use self::history_remove::HistoryRemove;
pub use self::info::Info;
pub use self::invalidate_user_tokens::InvalidateUserTokens;
pub(crate) use self::key::{ApiKey, Keyring, Scope};
pub use self::lines::Lines;
pub use self::method::{Method, Request};
pub use self::presence::Presence;
pub use self::presence_stats::PresenceStats;
pub use self::publish::{Article, IDEMPOTENCY_KEY_BYTES_MAX, Publish};
pub use self::refresh::Refresh;
pub(crate) use self::reply::ErrorMode;
use self::reply::json;
pub use self::revoke_token::RevokeToken;
pub use self::rpc::Rpc;
pub use self::subscribe::Subscribe;
pub use self::unblock_user::UnblockUser;
pub use self::unsubscribe::Unsubscribe;
use crate::config::Settings;
use crate::edge::{body, plain};
use crate::engine::EngineHandle;
use crate::metrics::EdgeCounters;
use crate::whole;

/// Answers the calls of backends.
pub(crate) struct Api {
    access: CurrentAccess,
    error_mode: ErrorMode,
    body_bytes_max: usize,
    body_timeout: Duration,
    /// One for each call that is read or done at the moment.
    places: Semaphore,
    rules: Rules,
    counters: Arc<EdgeCounters>,
    /// What it is, for programs; written when somebody asks.
    description: OnceLock<Bytes>,
}

/// What is called, by its path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Called<'a> {
    /// `/api/<method>`.
    Method(&'a str),
    /// `/api`, which is told by each line of the body.
    Lines,
}

/// A request that may go on.
struct Admitted<'a> {
    key: &'a ApiKey,
    mode: ErrorMode,
    /// `None` if the lines of the body tell.
    method: Option<Method>,
    _place: SemaphorePermit<'a>,
}

/// What the methods know of the configuration and of the node, for as long as it runs.
struct Rules {
    channel_name_bytes_max: usize,
    uid: String,
    name: String,
    started: Instant,
}

/// What a method works with: the rules, and the engine that does the work.
#[derive(Clone, Copy)]
struct World<'a> {
    rules: &'a Rules,
    namespaces: &'a Namespaces,
    engine: &'a EngineHandle,
}

impl Api {
    pub(crate) fn new(
        settings: &Settings,
        access: CurrentAccess,
        uid: String,
        counters: Arc<EdgeCounters>,
    ) -> Self {
        let rules = Rules {
            channel_name_bytes_max: settings.limits.channel_name_bytes_max,
            uid,
            name: settings.node_name.clone(),
            started: Instant::now(),
        };
        Self {
            access,
            error_mode: settings.http_api.error_mode,
            body_bytes_max: settings.http_api.body_bytes_max,
            body_timeout: settings.http_server.timeouts.body,
            places: Semaphore::new(settings.http_api.concurrency_limit),
            rules,
            counters,
            description: OnceLock::new(),
        }
    }

    /// The OpenAPI document. It is the same for every server of a version, so that nobody is asked for a key.
    pub(crate) fn description(&self) -> Response {
        let document = self.description.get_or_init(|| openapi::document().to_string().into());
        json(StatusCode::OK, document.clone())
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        engine: &EngineHandle,
        called: Called<'_>,
        request: axum::extract::Request,
    ) -> Response {
        let access = self.access.now();
        let admitted = self.admit(&access, called, &request);
        let Admitted { key, mode, method, _place } = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                body::skip(request).await;
                return *refusal;
            }
        };
        let body = match body::read(request.into_body(), self.body_bytes_max, self.body_timeout).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let world = World { rules: &self.rules, namespaces: &access.namespaces, engine };
        match method {
            Some(method) => self.answer_call(world, key, mode, method, &body).await,
            None => self.answer_lines(world, key, &body).await,
        }
    }

    /// Decides by its head whether a request may make us keep something: its body, and what it asks for.
    fn admit<'a>(
        &'a self,
        access: &'a Access,
        called: Called<'_>,
        request: &axum::extract::Request,
    ) -> Result<Admitted<'a>, Box<Response>> {
        if request.method() != HttpMethod::POST {
            return Err(Box::new(not_post()));
        }
        let Some(key) = access.keys.shown(request.headers(), request.uri()) else {
            return Err(Box::new(plain_status(StatusCode::UNAUTHORIZED)));
        };
        let mode = self.error_mode.of(request.headers());
        let method = match called {
            Called::Lines => None,
            Called::Method(name) => Some(Method::named(name).ok_or_else(|| Box::new(no_such_method()))?),
        };
        if let Err(wait) = key.allowance.admit(Instant::now()) {
            self.counters.api_turned_away("rate_limit");
            return Err(Box::new(mode.turn_away(StatusCode::TOO_MANY_REQUESTS, wait)));
        }
        let Ok(place) = self.places.try_acquire() else {
            self.counters.api_turned_away("concurrency_limit");
            return Err(Box::new(mode.turn_away(StatusCode::SERVICE_UNAVAILABLE, Duration::ZERO)));
        };
        Ok(Admitted { key, mode, method, _place: place })
    }

    /// Answers a call that came without a key, because it is our own: where the dev profile plays a backend.
    pub(crate) async fn answer_ourselves(
        &self,
        engine: &EngineHandle,
        method: Method,
        body: &[u8],
    ) -> Response {
        let access = self.access.now();
        let world = World { rules: &self.rules, namespaces: &access.namespaces, engine };
        let outcome = self.done(world, Some(method), Request::read(method, body)).await;
        ErrorMode::Body.answer(outcome, method == Method::Batch)
    }

    async fn answer_call(
        &self,
        world: World<'_>,
        key: &ApiKey,
        mode: ErrorMode,
        method: Method,
        body: &[u8],
    ) -> Response {
        let request = Request::read(method, body);
        if request.as_ref().is_ok_and(|request| !key.scope.allows(request)) {
            return beyond_scope();
        }
        key.allowance.charge(Instant::now(), request.as_ref().map_or(1, Request::commands));
        let outcome = self.done(world, Some(method), request).await;
        // Centrifugo's batch has its replies at the top.
        mode.answer(outcome, method == Method::Batch)
    }

    async fn answer_lines(&self, world: World<'_>, key: &ApiKey, body: &[u8]) -> Response {
        let commands = match Lines::read(body) {
            Ok(Lines(commands)) => commands,
            Err(failure) => return ErrorMode::Body.answer(Err(failure), false),
        };
        let mut requests = commands.iter().filter_map(|(_, request)| request.as_ref().ok());
        if !requests.all(|request| key.scope.allows(request)) {
            return beyond_scope();
        }
        let sizes = commands.iter().map(|(_, request)| request.as_ref().map_or(1, Request::commands));
        key.allowance.charge(Instant::now(), sizes.sum());
        let mut answer = String::new();
        for (method, request) in commands {
            lines::write(&mut answer, &self.done(world, method, request).await);
        }
        json(StatusCode::OK, answer)
    }

    /// Does what was understood, and counts what came of it.
    async fn done(
        &self,
        world: World<'_>,
        method: Option<Method>,
        request: Result<Request, Failure>,
    ) -> Result<Box<RawValue>, Failure> {
        let outcome = match request {
            Ok(request) => request.answer(world).await,
            Err(failure) => Err(failure),
        };
        let code = outcome.as_ref().map_or_else(|failure| failure.reason().code(), |_| 0);
        self.counters.api_called(method.map_or("unknown", Method::name), code);
        outcome
    }
}

/// A status without a word, as Centrifugo answers who has no key.
fn plain_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn not_post() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "The server API is called with POST.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

fn no_such_method() -> Response {
    let names: Vec<_> = Method::ALL.iter().map(|method| method.name()).collect();
    let text = format!("The server API has no such method. It has: {}.", names.join(", "));
    plain(StatusCode::NOT_FOUND, text)
}

fn beyond_scope() -> Response {
    plain(StatusCode::FORBIDDEN, "This key may not ask for that: http_api.keys says what its scope is.")
}

impl World<'_> {
    /// The channel of this name and its namespace.
    fn channel(&self, name: &str) -> Result<(Channel, &Namespace), ErrorCode> {
        if name.len() > self.rules.channel_name_bytes_max {
            return Err(ErrorCode::BadRequest);
        }
        let namespace = self.namespaces.of(name)?;
        Ok((Channel::new(name), namespace))
    }
}

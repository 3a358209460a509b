//! The backend of the gallery's own pages, which have none of their own: it knows three people, gives them tokens, sends
//! them notices through the server API, and asks it what they were sent and how often they are here.
//!
//! Your backend does both in your language; this one is in the dev profile only, on loopback, for pages of this server
//! and for nobody but these three.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router, middleware};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::api::{Api, Method};
use crate::auth::Verifier;
use crate::edge::{plain, same_origin};
use crate::engine::EngineHandle;

/// How long a token is good. Pages ask for another one when it has expired.
const TOKEN_TTL: Duration = Duration::from_secs(300);

/// How many notices a person who arrives is shown at most.
const INBOX_MAX: u32 = 100;

/// The people whom the gallery knows.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Person {
    Ana,
    Ben,
    Cleo,
}

impl Person {
    /// The user id.
    fn id(self) -> &'static str {
        match self {
            Self::Ana => "ana",
            Self::Ben => "ben",
            Self::Cleo => "cleo",
        }
    }

    /// The channel of this person's own.
    fn inbox(self) -> String {
        format!("inbox:#{}", self.id())
    }
}

/// About whom something is asked.
#[derive(Deserialize)]
struct About {
    user: Person,
}

/// What is to be sent to whom.
#[derive(Deserialize)]
struct Notify {
    users: Vec<Person>,
    notice: Box<RawValue>,
}

struct DevBackend {
    api: Arc<Api>,
    tokens: Verifier,
}

/// Routes below `/dev/backend`.
pub(crate) fn routes(api: Arc<Api>, tokens: Verifier) -> Router {
    Router::new()
        .route("/dev/backend/token", post(token))
        .route("/dev/backend/notify", post(notify))
        .route("/dev/backend/inbox", post(inbox))
        .route("/dev/backend/connections", post(connections))
        .layer(middleware::from_fn(same_origin))
        .with_state(Arc::new(DevBackend { api, tokens }))
}

/// A token, as plain text.
async fn token(State(backend): State<Arc<DevBackend>>, Json(About { user }): Json<About>) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let claims = json!({ "sub": user.id(), "exp": (now + TOKEN_TTL).as_secs() });
    match backend.tokens.mint(&claims) {
        Some(token) => plain(StatusCode::OK, token),
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "There is no shared secret to sign a token with."),
    }
}

/// The server API's answer to a broadcast.
async fn notify(
    State(backend): State<Arc<DevBackend>>,
    Extension(engine): Extension<EngineHandle>,
    Json(Notify { users, notice }): Json<Notify>,
) -> Response {
    let channels: Vec<_> = users.iter().map(|user| user.inbox()).collect();
    let call = json!({ "channels": channels, "data": notice }).to_string();
    backend.api.answer_ourselves(&engine, Method::Broadcast, call.as_bytes()).await
}

/// The server API's answer to what a person was sent lately, for who has just arrived.
async fn inbox(
    State(backend): State<Arc<DevBackend>>,
    Extension(engine): Extension<EngineHandle>,
    Json(About { user }): Json<About>,
) -> Response {
    let call = json!({ "channel": user.inbox(), "limit": INBOX_MAX }).to_string();
    backend.api.answer_ourselves(&engine, Method::History, call.as_bytes()).await
}

/// The server API's answer to how many connections a person has.
async fn connections(
    State(backend): State<Arc<DevBackend>>,
    Extension(engine): Extension<EngineHandle>,
    Json(About { user }): Json<About>,
) -> Response {
    let call = json!({ "channel": user.inbox() }).to_string();
    backend.api.answer_ourselves(&engine, Method::PresenceStats, call.as_bytes()).await
}

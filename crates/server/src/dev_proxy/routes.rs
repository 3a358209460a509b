//! How a page asks for lines and for obstacles.
//!
//! Other pages must not: a body of JSON is something that a browser sends for a page of another origin only after
//! asking, and nobody answers that; and an `Origin` that is not this server's is refused.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use http::header::{HOST, ORIGIN};
use serde_json::{Value, json};

use super::DevProxy;
use super::obstacles::{DELAY_MS_MAX, Obstacles};
use crate::auth::OriginPolicy;
use crate::edge::plain;

/// Routes below `/dev/proxy`.
pub(crate) fn routes(proxy: Arc<DevProxy>) -> Router {
    Router::new()
        .route("/dev/proxy", post(open))
        .route("/dev/proxy/{port}", get(show).post(set))
        .route("/dev/proxy/{port}/cut", post(cut))
        .layer(middleware::from_fn(same_origin))
        .with_state(proxy)
}

async fn same_origin(request: Request, next: Next) -> Response {
    let allowed = {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        OriginPolicy::default().check(text(ORIGIN), text(HOST)).is_ok()
    };
    if allowed {
        next.run(request).await
    } else {
        plain(StatusCode::FORBIDDEN, "Only pages of this server may put obstacles in its way.")
    }
}

/// Opens a line: `{"port": 40123}`.
async fn open(State(proxy): State<Arc<DevProxy>>, body: Result<Json<Value>, JsonRejection>) -> Response {
    if let Err(rejection) = body {
        return rejection.into_response();
    }
    match proxy.open().await {
        Ok(port) => Json(json!({ "port": port })).into_response(),
        Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("No line can be opened: {error}.")),
    }
}

/// The obstacles of a line.
async fn show(State(proxy): State<Arc<DevProxy>>, Path(port): Path<u16>) -> Response {
    match proxy.with(port, |line| line.obstacles()) {
        Some(obstacles) => Json(obstacles).into_response(),
        None => no_line(),
    }
}

/// Other obstacles for a line, all of them at once.
async fn set(
    State(proxy): State<Arc<DevProxy>>,
    Path(port): Path<u16>,
    body: Result<Json<Obstacles>, JsonRejection>,
) -> Response {
    let obstacles = match body {
        Ok(Json(obstacles)) if obstacles.delay_ms <= DELAY_MS_MAX => obstacles,
        Ok(_) => return plain(StatusCode::BAD_REQUEST, format!("delay_ms is {DELAY_MS_MAX} at most.")),
        Err(rejection) => return rejection.into_response(),
    };
    match proxy.with(port, |line| line.set(obstacles)) {
        Some(()) => Json(obstacles).into_response(),
        None => no_line(),
    }
}

/// Resets all connections of a line.
async fn cut(
    State(proxy): State<Arc<DevProxy>>,
    Path(port): Path<u16>,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    if let Err(rejection) = body {
        return rejection.into_response();
    }
    match proxy.with(port, |line| line.cut()) {
        Some(()) => StatusCode::NO_CONTENT.into_response(),
        None => no_line(),
    }
}

fn no_line() -> Response {
    plain(StatusCode::NOT_FOUND, "There is no line at this port. POST /dev/proxy opens one.")
}

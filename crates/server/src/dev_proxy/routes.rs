//! How a page asks for lines and for obstacles: by port, of a line that the page itself came over, and by name, of one
//! that a client of the page is to take.
//!
//! Other pages must not: a body of JSON is something that a browser sends for a page of another origin only after
//! asking, and nobody answers that; and an `Origin` that is not this server's is refused.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::line::Line;
use super::obstacles::{DELAY_MS_MAX, Obstacles};
use super::tunnel::forward;
use super::{DevProxy, NAME_BYTES_MAX, Name};
use crate::edge::{plain, same_origin};

/// Routes below `/dev/proxy`.
pub(crate) fn routes(proxy: Arc<DevProxy>) -> Router {
    Router::new()
        .route("/dev/proxy", post(open))
        .route("/dev/proxy/{port}", get(show).post(set))
        .route("/dev/proxy/{port}/cut", post(cut))
        .route("/dev/line/{name}", get(show_named).post(set_named))
        .route("/dev/line/{name}/cut", post(cut_named))
        .route("/dev/line/{name}/to/{*path}", any(tunnel))
        .layer(middleware::from_fn(same_origin))
        .with_state(proxy)
}

/// Opens a line: `{"port": 40123}`.
async fn open(State(proxy): State<Arc<DevProxy>>, body: Result<Json<Value>, JsonRejection>) -> Response {
    if let Err(rejection) = body {
        return rejection.into_response();
    }
    match proxy.open() {
        Ok(port) => Json(json!({ "port": port })).into_response(),
        Err(error) => no_port(&error),
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
    wished(body, |obstacles| match proxy.with(port, |line| line.set(obstacles)) {
        Some(()) => Json(obstacles).into_response(),
        None => no_line(),
    })
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

/// The obstacles of the line of this name.
async fn show_named(State(proxy): State<Arc<DevProxy>>, Path(name): Path<String>) -> Response {
    named(&proxy, name, |line| Json(line.obstacles()).into_response())
}

/// Other obstacles for the line of this name.
async fn set_named(
    State(proxy): State<Arc<DevProxy>>,
    Path(name): Path<String>,
    body: Result<Json<Obstacles>, JsonRejection>,
) -> Response {
    wished(body, |obstacles| {
        named(&proxy, name, |line| {
            line.set(obstacles);
            Json(obstacles).into_response()
        })
    })
}

/// Resets all connections of the line of this name.
async fn cut_named(
    State(proxy): State<Arc<DevProxy>>,
    Path(name): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    if let Err(rejection) = body {
        return rejection.into_response();
    }
    named(&proxy, name, |line| {
        line.cut();
        StatusCode::NO_CONTENT.into_response()
    })
}

/// Sends a request to the server over the line of this name.
async fn tunnel(
    State(proxy): State<Arc<DevProxy>>,
    Path((name, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(name) = Name::read(name) else { return misnamed() };
    match proxy.with_named(&name, Line::port) {
        Ok(port) => forward(port, request).await,
        Err(error) => no_port(&error),
    }
}

fn named(proxy: &DevProxy, name: String, act: impl FnOnce(&Line) -> Response) -> Response {
    let Some(name) = Name::read(name) else { return misnamed() };
    proxy.with_named(&name, act).unwrap_or_else(|error| no_port(&error))
}

/// Does something with the obstacles that were asked for, or says what is wrong with them.
fn wished(body: Result<Json<Obstacles>, JsonRejection>, act: impl FnOnce(Obstacles) -> Response) -> Response {
    match body {
        Ok(Json(obstacles)) if obstacles.delay_ms <= DELAY_MS_MAX => act(obstacles),
        Ok(_) => plain(StatusCode::BAD_REQUEST, format!("delay_ms is {DELAY_MS_MAX} at most.")),
        Err(rejection) => rejection.into_response(),
    }
}

fn misnamed() -> Response {
    let text = format!("A line is called by small letters, digits and dashes, {NAME_BYTES_MAX} at most.");
    plain(StatusCode::BAD_REQUEST, text)
}

fn no_port(error: &std::io::Error) -> Response {
    plain(StatusCode::SERVICE_UNAVAILABLE, format!("No line can be opened: {error}."))
}

fn no_line() -> Response {
    plain(StatusCode::NOT_FOUND, "There is no line at this port. POST /dev/proxy opens one.")
}

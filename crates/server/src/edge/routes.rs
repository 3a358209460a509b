//! What there is besides WebSockets.

use std::sync::Arc;

use axum::extract::{Extension, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode, Uri};
use tower_http::services::ServeDir;

use super::plain;
use crate::api::{Api, Called};
use crate::assets;
use crate::config::Settings;
use crate::dev_backend;
use crate::dev_proxy::{self, DevProxy};
use crate::engine::EngineHandle;
use crate::metrics::{self, EdgeCounters};

/// The routes that these settings open.
pub(super) fn routes(
    settings: &Settings,
    api: Arc<Api>,
    dev_proxy: &Arc<DevProxy>,
    counters: Arc<EdgeCounters>,
) -> Router {
    let mut routes = Router::new()
        .merge(server_api(api.clone()))
        .route("/spanwire.js", get(|request: Request| assets::script("spanwire.js", request)))
        .route("/spanwire/{*path}", get(script));
    if settings.health {
        routes = routes.route("/health", get(health));
    }
    if settings.prometheus {
        routes = routes.route("/metrics", get(scrape).with_state(counters.clone()));
    }
    if settings.profile.shows_demos() {
        let gallery = || get(|request: Request| assets::demo("index.html", request));
        routes = routes.route("/demos/", gallery()).route("/demos/{*path}", get(demo));
        routes = routes.merge(dev_proxy::routes(dev_proxy.clone()));
        routes = routes.merge(dev_backend::routes(api, settings.client.tokens.clone()));
        if settings.directory.is_none() {
            routes = routes.route("/", gallery());
        }
    }
    let routes = match &settings.directory {
        Some(directory) => routes.fallback_service(ServeDir::new(directory).fallback(any(nothing_here))),
        None => routes.fallback(nothing_here),
    };
    routes.layer(middleware::from_fn_with_state(counters, count))
}

fn server_api(api: Arc<Api>) -> Router {
    Router::new()
        .route("/api", any(call_by_lines))
        .route("/api/{method}", any(call))
        .route("/openapi.json", get(describe_api))
        .with_state(api)
}

async fn call(
    State(api): State<Arc<Api>>,
    Extension(engine): Extension<EngineHandle>,
    Path(method): Path<String>,
    request: Request,
) -> Response {
    api.answer(&engine, Called::Method(&method), request).await
}

async fn call_by_lines(
    State(api): State<Arc<Api>>,
    Extension(engine): Extension<EngineHandle>,
    request: Request,
) -> Response {
    api.answer(&engine, Called::Lines, request).await
}

async fn describe_api(State(api): State<Arc<Api>>) -> Response {
    api.description()
}

async fn script(Path(path): Path<String>, request: Request) -> Response {
    assets::script(&format!("spanwire/{path}"), request).await
}

async fn demo(Path(path): Path<String>, request: Request) -> Response {
    assets::demo(&path, request).await
}

/// Says to a load balancer that this process answers; Centrifugo's answer is the same empty object.
async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({}))
}

async fn scrape(
    State(counters): State<Arc<EdgeCounters>>,
    Extension(engine): Extension<EngineHandle>,
) -> Response {
    let mut response = plain(StatusCode::OK, metrics::of(&engine, &counters).await);
    let prometheus = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, prometheus);
    response
}

async fn nothing_here(method: Method, uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    plain(
        StatusCode::NOT_FOUND,
        format!(
            "There is nothing to {method} at {path}.\n\
             WebSocket clients connect to /connection/websocket, the server API is at /api/<method>,\n\
             and the browser's client at /spanwire.js."
        ),
    )
}

/// Counts each request by what it was for, not by its path: a stranger can think of many paths.
async fn count(State(counters): State<Arc<EdgeCounters>>, request: Request, next: Next) -> Response {
    let route = match request.uri().path() {
        "/health" => "health",
        "/metrics" => "metrics",
        path if path == "/api" || path.starts_with("/api/") => "api",
        _ => "pages",
    };
    let response = next.run(request).await;
    counters.answered(route, response.status());
    response
}

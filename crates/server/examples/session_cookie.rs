//! Who a client is, by the session cookie that the application has anyway: no tokens. A page of the application's own
//! connects with its cookies; a page of somebody else's is refused by its origin, before anybody looks at them.
//!
//! `cargo run -p spanwire --example session_cookie`

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use spanwire::{Accept, Chance, ConnectCtx, Hub, Namespace, Reject, termination};

/// The application's sessions: which user belongs to which cookie. In earnest this is a table of its database.
#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<HashMap<String, String>>>);

#[derive(Clone)]
struct App {
    sessions: Sessions,
    hub: Hub,
}

impl Sessions {
    fn begin(&self, user: &str) -> String {
        let secret = Chance::from_system().expect("the system has chance to give").text();
        self.0.lock().unwrap().insert(secret.clone(), user.to_owned());
        secret
    }

    fn user(&self, secret: &str) -> Option<String> {
        self.0.lock().unwrap().get(secret).cloned()
    }

    fn end(&self, secret: &str) -> Option<String> {
        self.0.lock().unwrap().remove(secret)
    }
}

async fn log_in(
    State(app): State<App>,
    Path(user): Path<String>,
) -> ([(http::HeaderName, String); 1], StatusCode) {
    let cookie = format!("session={}; HttpOnly; SameSite=Lax; Path=/", app.sessions.begin(&user));
    ([(SET_COOKIE, cookie)], StatusCode::NO_CONTENT)
}

/// Whoever logs out is disconnected at once, in all windows.
async fn log_out(State(app): State<App>, headers: HeaderMap) -> StatusCode {
    let cookie = headers.get(COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    match cookie.strip_prefix("session=").and_then(|secret| app.sessions.end(secret)) {
        Some(user) => {
            app.hub.disconnect(&user);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::UNAUTHORIZED,
    }
}

/// Tells one user something, wherever that user is connected.
async fn notify(
    State(app): State<App>,
    Path(user): Path<String>,
    Json(notice): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let channel = format!("inbox:{user}");
    let published = app.hub.publish(&channel, notice).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(Json(json!({ "offset": published.offset, "epoch": published.epoch })))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::default();
    let known = sessions.clone();
    let inbox = Namespace::default().history(100, std::time::Duration::from_secs(86_400)).recover();
    let hub = Hub::builder()
        .namespace("inbox", inbox) // Nobody subscribes to it from outside: on_connect joins each user to one.
        .on_connect(move |c: ConnectCtx| {
            let user = c.cookie("session").and_then(|secret| known.user(secret));
            async move {
                let user = user.ok_or_else(|| Reject::denied("log in first"))?;
                Ok(Accept::user(&user).join(&format!("inbox:{user}")))
            }
        })
        .build()
        .await?;
    let app = Router::new()
        .route("/log-in/{user}", post(log_in))
        .route("/log-out", post(log_out))
        .route("/notify/{user}", post(notify))
        .with_state(App { sessions, hub: hub.clone() })
        .merge(hub.router());
    let address = std::env::args().nth(1).unwrap_or("localhost:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(hub.drain_on(termination()))
        .await?;
    Ok(())
}

//! A backend that decides: what a team has beside the server, with a script for its answers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::serve::Listener;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::until::until;

/// A running backend. It ends with this value.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// When.
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// The body, and as it stood there.
    pub(crate) body: Value,
    pub(crate) text: String,
}

type Script = dyn Fn(&Asked) -> (u16, Value) + Send + Sync;

struct Desk {
    script: Mutex<Arc<Script>>,
    latency_ms: AtomicU64,
    /// What each answer asks for in `Retry-After`, in seconds; nothing at 0.
    retry_after: AtomicU64,
    in_flight: AtomicUsize,
    in_flight_most: AtomicUsize,
    answered: AtomicUsize,
    asked: Mutex<Vec<Asked>>,
}

impl Backend {
    /// Starts one that answers what it is asked by this script, at once.
    pub(crate) async fn start(script: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::start_behind(TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port"), script)
    }

    /// Starts one to which connections come by this listener.
    pub(crate) fn start_behind<L: Listener<Addr = SocketAddr>>(
        listener: L,
        script: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let desk = Arc::new(Desk {
            script: Mutex::new(Arc::new(script)),
            latency_ms: AtomicU64::new(0),
            retry_after: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            in_flight_most: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let routes = Router::new().fallback(answer).with_state(desk.clone());
        let serving = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("it goes on until it is ended")
        });
        Self { address, desk, serving }
    }

    /// The settings of a proxy that asks here.
    pub(crate) fn proxy(&self, path: &str) -> Value {
        json!({ "endpoint": format!("http://{}{path}", self.address), "timeout": "5s" })
    }

    /// The same for one that speaks TLS, as `localhost`.
    pub(crate) fn secure_proxy(&self, path: &str) -> Value {
        json!({ "endpoint": format!("https://localhost:{}{path}", self.address.port()), "timeout": "5s" })
    }

    /// From now on answers are like this.
    pub(crate) fn answers(&self, script: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) {
        *self.desk.script.lock().expect("nobody panics while holding it") = Arc::new(script);
    }

    /// From now on answers take so long.
    pub(crate) fn takes(&self, latency: Duration) {
        self.desk.latency_ms.store(latency.as_millis() as u64, Ordering::SeqCst);
    }

    /// From now on it asks in each answer to be left alone for so many seconds; at 0 it does not.
    pub(crate) fn wishes_to_rest(&self, seconds: u64) {
        self.desk.retry_after.store(seconds, Ordering::SeqCst);
    }

    /// How many questions it had at a time, at most.
    pub(crate) fn in_flight_most(&self) -> usize {
        self.desk.in_flight_most.load(Ordering::SeqCst)
    }

    /// How many it has answered.
    pub(crate) fn answered(&self) -> usize {
        self.desk.answered.load(Ordering::SeqCst)
    }

    /// Waits until it has answered so many.
    pub(crate) async fn has_answered(&self, many: usize) {
        until(&format!("the backend to have answered {many}"), async || {
            (self.answered() >= many).then_some(())
        })
        .await;
    }

    /// What it was asked at a path since this was called last.
    pub(crate) fn take_asked(&self, path: &str) -> Vec<Asked> {
        let mut all = self.desk.asked.lock().expect("nobody panics while holding it");
        let (taken, left) = all.drain(..).partition(|asked| asked.path == path);
        *all = left;
        taken
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Counts a question for as long as it is here, also if the server gives up on it.
struct Present<'a>(&'a Desk);

impl<'a> Present<'a> {
    fn new(desk: &'a Desk) -> Self {
        let now = desk.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        desk.in_flight_most.fetch_max(now, Ordering::SeqCst);
        Self(desk)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let _present = Present::new(&desk);
    let text = String::from_utf8(body.to_vec()).expect("the server asks in JSON");
    let body = match text.is_empty() {
        true => Value::Null,
        false => serde_json::from_str(&text).expect("the server asks in JSON"),
    };
    let asked = Asked { at: Instant::now(), path: uri.path().to_owned(), headers, body, text };
    let script = desk.script.lock().expect("nobody panics while holding it").clone();
    desk.asked.lock().expect("nobody panics while holding it").push(asked.clone());
    // The work that an answer is: how long it takes is what these scenes are about.
    tokio::time::sleep(Duration::from_millis(desk.latency_ms.load(Ordering::SeqCst))).await;
    let (status, answer) = script(&asked);
    desk.answered.fetch_add(1, Ordering::SeqCst);
    let wish = match desk.retry_after.load(Ordering::SeqCst) {
        0 => None,
        seconds => Some((RETRY_AFTER, HeaderValue::from(seconds))),
    };
    let status = StatusCode::from_u16(status).expect("the script knows statuses");
    (status, wish.into_iter().collect(), answer.to_string())
}

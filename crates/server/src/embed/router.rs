//! The routes that an application adds to its own.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;

use super::Hub;
use super::service::MODULES;
use crate::edge::PATHS;

impl Hub {
    /// The routes of the hub, to be merged into those of the application: `/connection/…` for each transport,
    /// `/emulation` for the commands of clients without a WebSocket, and the browser's client at `/spanwire.js`.
    ///
    /// Where clients come from is only known if the application's server tells, by
    /// `into_make_service_with_connect_info::<SocketAddr>()`; limits by address count nobody otherwise.
    ///
    /// The connection of a WebSocket is taken from the application's server: its socket goes to a thread of the hub.
    /// Where that is impossible, as under TLS, a task carries the bytes.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let serve = || any(serve).with_state(self.clone());
        let router = Router::new().route(&format!("{MODULES}{{*path}}"), serve());
        PATHS.into_iter().fold(router, |router, path| router.route(path, serve()))
    }
}

async fn serve(State(hub): State<Hub>, request: Request) -> Response {
    hub.answer(None, request).await
}

//! The routes that an application adds to its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::any;
use http::StatusCode;

use super::Hub;
use crate::edge::{PATHS, plain};

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
        let router = Router::new().route("/spanwire/{*path}", serve());
        PATHS.into_iter().fold(router, |router, path| router.route(path, serve()))
    }
}

async fn serve(State(hub): State<Hub>, request: Request) -> Response {
    let told = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    match hub.0.house.running() {
        Some(running) => running.answer(told.unwrap_or(nowhere), request).await,
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "This hub is a test's, and has no sockets."),
    }
}

//! The hub as a service, for servers that are no axum.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};

use super::Hub;
use crate::edge::{PATHS, plain};

/// Where nobody tells where a request comes from.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// What stands before the files of the browser's client.
pub(super) const MODULES: &str = "/spanwire/";

/// The hub as a [`tower_service::Service`], for hyper and every other server that takes one: what
/// [`Hub::router`](Hub::router) brings to axum. Cheap to clone.
///
/// Connections must be served `with_upgrades()`, or no WebSocket can be.
#[derive(Clone, Debug)]
pub struct HubService {
    hub: Hub,
    peer: Option<SocketAddr>,
}

impl Hub {
    /// The hub as a service, for hyper and every other server that takes one of tower's. `docs/embedding.md` shows it.
    pub fn service(&self) -> HubService {
        HubService { hub: self.clone(), peer: None }
    }

    pub(super) async fn answer(&self, peer: Option<SocketAddr>, request: Request<Body>) -> Response {
        let told = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        match self.0.house.running() {
            Some(running) => running.answer(peer.or(told).unwrap_or(NOWHERE), request).await,
            None => plain(StatusCode::SERVICE_UNAVAILABLE, "This hub is a test's, and has no sockets."),
        }
    }
}

impl HubService {
    /// The service for the requests of one connection, whose other end this is. Without it, and without axum's
    /// `ConnectInfo` in the request, nobody is counted by address.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Whether requests for this path are the hub's; it answers others with 404.
    pub fn serves(path: &str) -> bool {
        PATHS.contains(&path) || path.strip_prefix(MODULES).is_some_and(|file| !file.is_empty())
    }
}

impl<B> tower_service::Service<Request<B>> for HubService
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { hub, peer } = self.clone();
        async move {
            if !Self::serves(request.uri().path()) {
                return Ok(plain(StatusCode::NOT_FOUND, "There is nothing here."));
            }
            Ok(hub.answer(peer, request.map(Body::new)).await)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_the_hub_are_known_from_others() {
        for (path, expected) in [
            ("/connection/websocket", true),
            ("/spanwire.js", true),
            ("/spanwire/client.js", true),
            ("/spanwire/", false),
            ("/", false),
            ("/connection/websocket/more", false),
        ] {
            assert_eq!(HubService::serves(path), expected, "{path}");
        }
    }
}

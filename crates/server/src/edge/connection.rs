//! One TCP connection, for as long as it speaks HTTP.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::Response;
use http::header::HOST;
use http::{Request, StatusCode};
use hyper::body::Incoming as RequestBody;
use hyper::server::conn::http1::{Builder, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tower_service::Service as _;

use super::endpoint::Endpoint;
use super::limits::{HEAD_BYTES_MAX, HEAD_TIMEOUT, READ_AHEAD_BYTES_MAX, WRITE_TIMEOUT};
use super::patience::Patient;
use super::upgrade::{decide, the_only};
use super::{Edge, plain};
use crate::engine::{Arrival, EngineHandle, Incoming, Link, Permit, Purpose, ShardHandle};

/// Answers requests until the peer leaves, takes too long, or has a WebSocket, which the shard then adopts.
pub(super) async fn serve(edge: Arc<Edge>, incoming: Incoming) {
    let Incoming { stream, peer, shard, permit } = incoming;
    let purpose = Cell::new(None);
    let service = service_fn(|request| answer(&edge, shard.engine(), peer, &purpose, request));
    let socket = Patient::new(stream, WRITE_TIMEOUT);
    match builder().serve_connection(socket, service).without_shutdown().await {
        Ok(Parts { io, read_buf, .. }) => {
            if let Some(purpose) = purpose.take() {
                hand_over(io.into_inner(), read_buf, purpose, permit, &shard);
            }
        }
        Err(error) => edge.counters.broken_off(reason(&error)),
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_AHEAD_BYTES_MAX);
    builder
}

/// Why HTTP ended before it should have, for the metrics.
fn reason(error: &hyper::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_parse_too_large() {
        "head_too_large"
    } else if error.is_parse() {
        "malformed"
    } else {
        "connection_lost"
    }
}

/// Answers one request. An answer of 101 leaves the socket's purpose behind.
async fn answer(
    edge: &Edge,
    engine: &EngineHandle,
    peer: SocketAddr,
    purpose: &Cell<Option<Purpose>>,
    mut request: Request<RequestBody>,
) -> Result<Response, Infallible> {
    let endpoint = Endpoint::at(request.uri().path(), edge.has_echo);
    if let Err(refusal) = edge.hosts.check(the_only(request.headers(), &HOST)) {
        match endpoint {
            Some(_) => edge.counters.refused("host_refused"),
            None => edge.counters.answered("host_refused", StatusCode::MISDIRECTED_REQUEST),
        }
        return Ok(plain(StatusCode::MISDIRECTED_REQUEST, refusal.to_string()));
    }
    if let Some(endpoint) = endpoint {
        if edge.is_full(engine) {
            edge.counters.refused("connection_limit");
            return Ok(plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server has as many clients as it may have.",
            ));
        }
        let (response, found) = decide(edge, endpoint, peer, &request);
        purpose.set(found);
        return Ok(response);
    }
    request.extensions_mut().insert(engine.clone());
    edge.routes.clone().call(request).await
}

/// Gives the socket to the shard, out of the hands of HTTP and of the runtime.
fn hand_over(
    stream: TcpStream,
    leftover: bytes::Bytes,
    purpose: Purpose,
    permit: Permit,
    shard: &ShardHandle,
) {
    // The runtime only fails to let go of a socket that is broken already.
    if let Ok(socket) = stream.into_std() {
        let link = Link::plain(socket);
        shard.adopt(Arrival { link, leftover, purpose, permit });
    }
}

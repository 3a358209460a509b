//! One TCP connection, for as long as it speaks HTTP.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use hyper::body::Incoming as RequestBody;
use hyper::server::conn::http1::{Builder, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tower_service::Service as _;

use super::door::TurnedAway;
use super::endpoint::Endpoint;
use super::forwarded::Malformed;
use super::introduction::introduction;
use super::limits::{HEAD_BYTES_MAX, HEAD_TIMEOUT, READ_AHEAD_BYTES_MAX, WRITE_TIMEOUT};
use super::patience::Patient;
use super::upgrade::{decide, the_only};
use super::{Edge, plain};
use crate::engine::{Arrival, EngineHandle, Incoming, Link, Permit, Purpose, ShardHandle, Visitor};

/// Answers requests until the peer leaves, takes too long, or has a WebSocket, which the shard then adopts.
pub(super) async fn serve(edge: Arc<Edge>, incoming: Incoming) {
    let Incoming { mut stream, mut peer, shard, permit } = incoming;
    if edge.proxies.introduces(peer) {
        match introduction(&mut stream, peer).await {
            Ok(client) => peer = client,
            Err(reason) => return edge.counters.broken_off(reason),
        }
    }
    let conversation = Conversation::new(&edge, shard.engine(), peer);
    let service = service_fn(|request| conversation.answer(request));
    let socket = Patient::new(stream, WRITE_TIMEOUT);
    match builder().serve_connection(socket, service).without_shutdown().await {
        Ok(Parts { io, read_buf, .. }) => {
            if let Some(purpose) = conversation.purpose.take() {
                hand_over(io.into_inner(), read_buf, purpose, permit, &shard);
            }
        }
        Err(error) => edge.counters.broken_off(reason(&error)),
    }
}

/// What is known of one connection while it speaks HTTP.
struct Conversation<'a> {
    edge: &'a Edge,
    engine: &'a EngineHandle,
    /// The other end: a client, or a proxy.
    peer: SocketAddr,
    /// The peer as it was let in; it is taken by the WebSocket that this connection becomes.
    visitor: Cell<Option<Visitor>>,
    /// Whether it was let in at all. Who is not is told so, and nothing else.
    turned_away: Option<TurnedAway>,
    /// What an answer of 101 has left behind.
    purpose: Cell<Option<Purpose>>,
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

impl<'a> Conversation<'a> {
    fn new(edge: &'a Edge, engine: &'a EngineHandle, peer: SocketAddr) -> Self {
        let (visitor, turned_away) = match edge.door.knock(peer) {
            Ok(visitor) => (Some(visitor), None),
            Err(turned_away) => (None, Some(turned_away)),
        };
        Self { edge, engine, peer, visitor: Cell::new(visitor), turned_away, purpose: Cell::new(None) }
    }

    /// Answers one request. An answer of 101 leaves the socket's purpose behind.
    async fn answer(&self, mut request: Request<RequestBody>) -> Result<Response, Infallible> {
        let edge = self.edge;
        let endpoint = Endpoint::at(request.uri().path(), edge.has_echo);
        if let Some(turned_away) = self.turned_away {
            return Ok(self.turn_away(endpoint, turned_away));
        }
        if let Err(refusal) = edge.hosts.check(the_only(request.headers(), &HOST)) {
            match endpoint {
                Some(_) => edge.counters.refused("host_refused"),
                None => edge.counters.answered("host_refused", StatusCode::MISDIRECTED_REQUEST),
            }
            return Ok(plain(StatusCode::MISDIRECTED_REQUEST, refusal.to_string()));
        }
        if let Some(endpoint) = endpoint {
            return Ok(match self.let_in(request.headers()) {
                Ok(visitor) => {
                    let (response, found) = decide(edge, endpoint, visitor, &request);
                    self.purpose.set(found);
                    response
                }
                Err(turned_away) => self.turn_away(Some(endpoint), turned_away),
            });
        }
        request.extensions_mut().insert(self.engine.clone());
        edge.routes.clone().call(request).await
    }

    /// Lets somebody in who wants a session.
    fn let_in(&self, headers: &HeaderMap) -> Result<Visitor, TurnedAway> {
        let client = self.edge.proxies.client(self.peer, headers).unwrap_or_else(|Malformed| {
            self.edge.counters.forwarded_malformed();
            self.peer
        });
        self.edge.door.enter(Instant::now(), client, self.visitor.take(), self.engine)
    }

    fn turn_away(&self, endpoint: Option<Endpoint>, turned_away: TurnedAway) -> Response {
        let mut response = turned_away.answer();
        match endpoint {
            Some(_) => self.edge.counters.refused(turned_away.name()),
            None => self.edge.counters.answered("turned_away", response.status()),
        }
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
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

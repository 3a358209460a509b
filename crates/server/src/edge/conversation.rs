//! What is known of a connection while it speaks HTTP, and who decides about its requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::BoxError;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::Body;
use tower_service::Service as _;

use super::door::TurnedAway;
use super::endpoint::Endpoint;
use super::forwarded::Malformed;
use super::transports;
use super::upgrade::{decide, the_only};
use super::{Edge, plain};
use crate::engine::{Agreed, Purpose, ShardHandle, Visitor};

/// A connection that asks, whatever version of HTTP it speaks.
pub(super) struct Conversation {
    pub(super) edge: Arc<Edge>,
    /// The shard that accepted it.
    pub(super) shard: ShardHandle,
    /// The other end: a client, or a proxy.
    peer: SocketAddr,
    /// The peer as it was let in; it is taken by the WebSocket that this connection becomes. Behind a lock that nobody
    /// ever waits for, so that a conversation may also be held on a runtime of several threads.
    visitor: Mutex<Option<Visitor>>,
    /// Whether it was let in at all. Who is not is told so, and nothing else.
    pub(super) turned_away: Option<TurnedAway>,
}

impl Conversation {
    pub(super) fn new(edge: Arc<Edge>, shard: ShardHandle, peer: SocketAddr) -> Self {
        let (visitor, turned_away) = match edge.door.knock(peer) {
            Ok(visitor) => (Some(visitor), None),
            Err(turned_away) => (None, Some(turned_away)),
        };
        Self { edge, shard, peer, visitor: Mutex::new(visitor), turned_away }
    }

    /// The peer as it was let in, for a connection that becomes no WebSocket but carries some: it counts as one, and
    /// each of them as another.
    pub(super) fn take_visitor(&self) -> Option<Visitor> {
        self.visitor.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Answers one request. If the answer makes it a WebSocket, there is a purpose for that.
    pub(super) async fn answer<B>(&self, mut request: Request<B>) -> (Response, Option<(Purpose, Agreed)>)
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let edge = &*self.edge;
        let endpoint = Endpoint::at(request.uri().path(), edge.transports.has_uni_websocket(), edge.has_echo);
        if let Some(turned_away) = self.turned_away {
            return (self.turn_away(endpoint, turned_away), None);
        }
        if let Err(refusal) = edge.hosts.check(the_only(request.headers(), &HOST)) {
            match endpoint {
                Some(_) => edge.counters.refused("host_refused"),
                None => edge.counters.answered("host_refused", StatusCode::MISDIRECTED_REQUEST),
            }
            return (plain(StatusCode::MISDIRECTED_REQUEST, refusal.to_string()), None);
        }
        if let Some(endpoint) = endpoint {
            return match self.let_in(request.headers()) {
                Ok(visitor) => decide(edge, endpoint, visitor, &request),
                Err(turned_away) => (self.turn_away(Some(endpoint), turned_away), None),
            };
        }
        if let Some(place) = edge.transports.place(request.uri().path()) {
            return (transports::answer(self, place, request.map(axum::body::Body::new)).await, None);
        }
        request.extensions_mut().insert(self.shard.engine().clone());
        let Ok(response) = edge.routes.clone().call(request).await;
        (response, None)
    }

    /// Lets somebody in who wants a session.
    pub(super) fn let_in(&self, headers: &HeaderMap) -> Result<Visitor, TurnedAway> {
        let client = self.edge.proxies.client(self.peer, headers).unwrap_or_else(|Malformed| {
            self.edge.counters.forwarded_malformed();
            self.peer
        });
        let mut visitor =
            self.edge.door.enter(Instant::now(), client, self.take_visitor(), self.shard.engine())?;
        visitor.info.headers = self.edge.wanted.of_request(headers);
        Ok(visitor)
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

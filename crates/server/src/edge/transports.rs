//! Sessions over HTTP, for networks that let no WebSocket through.
//!
//! Each is a piped session (see [`pipe`](crate::engine::pipe)): a response that does not end, or requests that poll,
//! bring the client what the hub says. Its commands come by requests of their own, to `/emulation`, and find the
//! session by the secret that the connect result told the client; so it does not matter which connection, and which
//! shard, they come to.

mod cors;
mod emulation;
mod framing;
mod place;
mod poll;
pub(super) mod query;
mod sessions;
mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, PRAGMA};
use http::{Method, Request, StatusCode};
use spanwire_hub::{Opening, Upstream};
use spanwire_wire::Encoding;

use self::cors::Page;
use self::framing::Framing;
pub(super) use self::place::Place;
use self::sessions::Sessions;
use self::stream::{Direction, Stream};
use super::conversation::Conversation;
use super::door::TurnedAway;
use super::upgrade::refuse_origin;
use super::{body, plain};
use crate::chance::Chance;
use crate::config::{Transports as Settings, Way};
use crate::engine::pipe::{NoRoom, Pipe};
use crate::engine::{Transport, Visitor};

/// The transports over HTTP that are open.
pub(super) struct Transports {
    settings: Settings,
    sessions: Arc<Sessions>,
}

impl Transports {
    /// `node` is this node's name of itself, which its clients' requests name.
    pub(super) fn new(settings: Settings, node: String, chance: &mut Chance) -> Self {
        Self { settings, sessions: Arc::new(Sessions::new(node, chance.seed())) }
    }

    /// Whether clients that only hear may come by WebSocket.
    pub(super) fn has_uni_websocket(&self) -> bool {
        self.settings.uni_websocket
    }

    /// What there is at a path, if it is open.
    pub(super) fn place(&self, path: &str) -> Option<Place> {
        Place::at(path).filter(|place| place.is_open(&self.settings))
    }
}

/// Answers a request to one of the transports.
pub(super) async fn answer(caller: &Conversation, place: Place, request: Request<Body>) -> Response {
    let edge = &caller.edge;
    let response = match Page::admit(edge, request.headers()) {
        Ok(page) => {
            let mut response = serve(caller, place, request).await;
            page.welcome(&mut response);
            response
        }
        Err(refused) => plain(StatusCode::FORBIDDEN, refuse_origin(edge, &refused)),
    };
    edge.counters.answered(place.name(), response.status());
    response
}

async fn serve(caller: &Conversation, place: Place, request: Request<Body>) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(place, request.headers());
    }
    if !place.takes(request.method()) {
        let methods = place.methods();
        let mut refusal =
            plain(StatusCode::METHOD_NOT_ALLOWED, format!("{} takes {methods}.", request.uri().path()));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        return refusal;
    }
    let answered = match place {
        Place::Init => Ok(empty_object()),
        Place::Emulation => emulation::take(caller, request).await,
        Place::Poll => poll::answer(caller, request).await,
        Place::HttpStream => http_stream(caller, request).await,
        Place::Sse => sse(caller, request).await,
        Place::UniSse => unidirectional(caller, Transport::UniSse, request).await,
        Place::UniHttpStream => unidirectional(caller, Transport::UniHttpStream, request).await,
    };
    answered.unwrap_or_else(|refusal| refusal)
}

async fn http_stream(caller: &Conversation, request: Request<Body>) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let visitor = caller.let_in(&head.headers).map_err(TurnedAway::answer)?;
    let framing = match encoding_of(&head.headers) {
        Encoding::Json => Framing::Lines,
        Encoding::Protobuf => Framing::Lengths,
    };
    let first = read(caller, body, caller.edge.transports.settings.http_stream).await?;
    stream(caller, visitor, Transport::HttpStream, framing, first).await
}

async fn sse(caller: &Conversation, request: Request<Body>) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let visitor = caller.let_in(&head.headers).map_err(TurnedAway::answer)?;
    let first = match head.method {
        Method::GET => query::first(&head.uri, "cf_connect").map(Bytes::from).ok_or_else(|| {
            plain(StatusCode::BAD_REQUEST, "The query has no cf_connect with the first commands.")
        })?,
        _ => read(caller, body, caller.edge.transports.settings.sse).await?,
    };
    stream(caller, visitor, Transport::Sse, Framing::Events, first).await
}

/// Reads the body of a request of a transport.
async fn read(caller: &Conversation, body: Body, way: Way) -> Result<Bytes, Response> {
    body::read(body, way.body_bytes_max, caller.edge.timeouts.body).await
}

/// Opens a session whose replies are a response without an end.
async fn stream(
    caller: &Conversation,
    visitor: Visitor,
    transport: Transport,
    framing: Framing,
    first: Bytes,
) -> Result<Response, Response> {
    let sessions = &caller.edge.transports.sessions;
    let (secret, reach) = sessions.draw();
    let upstream = Upstream::Requests(Box::new(reach));
    let opening = Opening { upstream, ..Opening::new(framing.encoding()) };
    let pipe = open(caller, visitor, transport, opening, first).await?;
    let registration = sessions.register(secret, pipe.inlet().clone());
    Ok(streaming(framing, Stream::new(pipe, framing, Direction::Both(registration))))
}

/// Opens a session of a client that only hears.
async fn unidirectional(
    caller: &Conversation,
    transport: Transport,
    request: Request<Body>,
) -> Result<Response, Response> {
    let settings = &caller.edge.transports.settings;
    let (framing, way) = match transport {
        Transport::UniSse => (Framing::Events, settings.uni_sse),
        _ => (Framing::Lines, settings.uni_http_stream),
    };
    let (head, body) = request.into_parts();
    let visitor = caller.let_in(&head.headers).map_err(TurnedAway::answer)?;
    let greeting = match head.method {
        Method::GET => query::greeting(head.uri.query()).unwrap_or_default(),
        _ => read(caller, body, way).await?,
    };
    let opening = Opening { upstream: Upstream::Nothing(Some(greeting)), ..Opening::new(framing.encoding()) };
    let pipe = caller.shard.open_piped(transport, opening, visitor).map_err(no_room)?;
    Ok(streaming(framing, Stream::new(pipe, framing, Direction::Down)))
}

/// Opens a session and gives it the first frame. There is room for that, so nobody waits.
async fn open(
    caller: &Conversation,
    visitor: Visitor,
    transport: Transport,
    opening: Opening,
    first: Bytes,
) -> Result<Pipe, Response> {
    let pipe = caller.shard.open_piped(transport, opening, visitor).map_err(no_room)?;
    // A shard that has ended takes no frame, and the pipe says so by its end.
    let _ = pipe.inlet().send(first).await;
    Ok(pipe)
}

fn no_room(_: NoRoom) -> Response {
    plain(StatusCode::SERVICE_UNAVAILABLE, "The server has as many connections as it may have.")
}

/// The head of a response without an end: nobody on the way is to keep it, or to wait for the rest of it.
fn streaming(framing: Framing, stream: Stream) -> Response {
    let mut response = Response::new(Body::new(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(framing.content_type()));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    keep_nowhere(headers);
    response
}

/// Says to whoever is on the way that this answer is for one client at one time.
fn keep_nowhere(headers: &mut HeaderMap) {
    let never = HeaderValue::from_static("private, no-cache, no-store, must-revalidate, max-age=0");
    headers.insert(CACHE_CONTROL, never);
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}

fn empty_object() -> Response {
    let mut response = Response::new(Body::from("{}"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What a request's body is written in: Protobuf if it says that it is bytes, else JSON.
fn encoding_of(headers: &HeaderMap) -> Encoding {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    match essence.trim().eq_ignore_ascii_case("application/octet-stream") {
        true => Encoding::Protobuf,
        false => Encoding::Json,
    }
}

//! From a request to a WebSocket, or to a refusal that says why.

use axum::body::Body;
use axum::response::Response;
use h2::ext::Protocol;
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode, Version};
use spanwire_ws::handshake::server::{OriginVerdict, Policy, accept};
use spanwire_ws::handshake::{self, Refusal};

use super::answer::add_headers;
use super::compressing::Compressing;
use super::endpoint::{Endpoint, opening, uni_opening};
use super::{Edge, plain};
use crate::auth::OriginRefusal;
use crate::engine::{Agreed, Purpose, Visitor};

/// Decides about a visitor's request to a WebSocket endpoint: the answer, and if that is a WebSocket, what it is for.
pub(super) fn decide<B>(
    edge: &Edge,
    endpoint: Endpoint,
    visitor: Visitor,
    request: &Request<B>,
) -> (Response, Option<(Purpose, Agreed)>) {
    let host = the_only(request.headers(), &HOST);
    let allows = |origin: Option<&str>| edge.origins.check(origin, host).is_ok();
    let verdict = |origin: Option<&str>| match allows(origin) {
        true => OriginVerdict::Allow,
        false => OriginVerdict::Refuse,
    };
    // Over HTTP/2 what arrives is no connection of a shard's, which is where messages are compressed.
    let compressing = edge.compressing.as_ref().filter(|_| request.version() < Version::HTTP_2);
    let (deflate, context) = compressing.map(Compressing::terms).unzip();
    let policy = Policy { subprotocols: endpoint.subprotocols(), origin: &verdict, deflate };
    match accept(&read(request), &policy) {
        Ok(accept) => {
            edge.counters.upgraded();
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status(accept.status());
            add_headers(&mut response, accept.headers());
            let purpose = match endpoint {
                Endpoint::Echo => Purpose::Echo,
                Endpoint::Session => Purpose::Session {
                    opening: opening(request.uri().query(), accept.subprotocol()),
                    visitor,
                },
                Endpoint::UniSession => {
                    Purpose::Session { opening: uni_opening(request.uri().query()), visitor }
                }
            };
            let extensions = accept.extensions();
            let context = context.flatten().filter(|_| extensions.has_takeover());
            (response, Some((purpose, Agreed { extensions, context })))
        }
        Err(refusal) => {
            edge.counters.refused(refusal.name());
            (refuse(edge, refusal, request.headers(), host), None)
        }
    }
}

/// The one value of a header; `None` if it is missing, repeated or not text.
pub(super) fn the_only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn read<B>(request: &Request<B>) -> handshake::Request<'_> {
    let version = match request.version() {
        Version::HTTP_09 => (0, 9),
        Version::HTTP_10 => (1, 0),
        Version::HTTP_2 => (2, 0),
        _ => (1, 1),
    };
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    let request = handshake::Request::new(request.method().as_str(), version, headers);
    protocol.into_iter().fold(request, handshake::Request::with_protocol)
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST)
}

fn refuse(edge: &Edge, refusal: Refusal, headers: &HeaderMap, host: Option<&str>) -> Response {
    let origin = the_only(headers, &http::header::ORIGIN);
    let text = match (refusal, edge.origins.check(origin, host)) {
        // The one refusal that an operator wants to lift: its text says how.
        (Refusal::OriginRefused, Err(refused)) => refuse_origin(edge, &refused),
        _ => refusal.reason().to_owned(),
    };
    let mut response = plain(status(refusal.status()), text);
    add_headers(&mut response, refusal.headers().iter().copied());
    response
}

/// What a page that may not connect is told. The operator is told too, once for each origin.
pub(super) fn refuse_origin(edge: &Edge, refused: &OriginRefusal) -> String {
    if edge.strangers.is_news(&refused.origin) {
        tracing::warn!(
            "origin {:?} was refused; to let its pages in, add it to client.allowed_origins",
            refused.origin
        );
    }
    refused.to_string()
}

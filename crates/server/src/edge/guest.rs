//! Requests that an application's own HTTP server has received, and passes on to us.
//!
//! Their connections are not ours: hyper has them on behalf of the application, and so a request is all that is seen
//! of one. When it becomes a WebSocket, the bare socket is taken out of the hands of hyper and tokio and goes to a
//! shard, as one of ours would, and costs the same from then on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use h2::ext::Protocol;
use http::header::{CONNECTION, RETRY_AFTER};
use http::{HeaderValue, Request, StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::net::{TcpStream, UnixStream};

use super::conversation::Conversation;
use super::{Edge, bridge, http2, plain};
use crate::engine::{Agreed, Arrival, Link, Permit, Purpose, ShardHandle};

/// What is answered here, as an axum router writes paths.
pub(crate) const PATHS: [&str; 10] = [
    "/connection/websocket",
    "/connection/uni_websocket",
    "/connection/http_stream",
    "/connection/uni_http_stream",
    "/connection/sse",
    "/connection/uni_sse",
    "/connection/poll",
    "/connection/init",
    "/emulation",
    "/spanwire.js",
];

/// Answers a request of this peer. What the application's layers and routes have put beside it is left behind: it is
/// not meant for our own. What becomes a WebSocket goes to the shard.
pub(crate) async fn answer(
    edge: Arc<Edge>,
    shard: ShardHandle,
    peer: SocketAddr,
    request: Request<Body>,
) -> Response {
    if !shard.engine().is_accepting() {
        return leaving();
    }
    let (mut parts, body) = request.into_parts();
    if parts.version == Version::HTTP_2 && http2::translate(&mut parts).is_err() {
        return plain(StatusCode::BAD_REQUEST, "A request's target and its Host are different.");
    }
    let mut request = Request::from_parts(parts, body);
    let extensions = std::mem::take(request.extensions_mut());
    let upgrade = extensions.get::<OnUpgrade>().cloned();
    if let Some(protocol) = extensions.get::<hyper::ext::Protocol>() {
        // The same thing, by the name under which our own HTTP/2 knows it.
        request.extensions_mut().insert(Protocol::from(protocol.as_str()));
    }
    let conversation = Conversation::new(edge, shard, peer);
    let (response, purpose) = conversation.answer(request).await;
    let Some((purpose, agreed)) = purpose else { return response };
    let Some(upgrade) = upgrade else {
        return plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The application's server lets no connection be upgraded.",
        );
    };
    let Some(permit) = conversation.shard.engine().permits().acquire() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "There are as many connections as there may be.");
    };
    tokio::spawn(hand_over(upgrade, purpose, agreed, permit, conversation.shard));
    response
}

/// Who comes while everybody is told to leave comes to the wrong node.
fn leaving() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "This node shuts down. Connect again.");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Gives the connection to the shard, when the answer to its request has left.
async fn hand_over(upgrade: OnUpgrade, purpose: Purpose, agreed: Agreed, permit: Permit, shard: ShardHandle) {
    // A client that is gone before it has its answer needs no session.
    let Ok(upgraded) = upgrade.await else { return };
    match take(upgraded) {
        Ok((link, leftover)) => shard.adopt(Arrival { link, leftover, purpose, agreed, permit }),
        Err(error) => tracing::warn!(%error, "a connection cannot be taken over"),
    }
}

/// The bare socket of a connection and what was read ahead; or, where something is between the socket and HTTP, such
/// as TLS, the end of a bridge to it.
fn take(upgraded: Upgraded) -> io::Result<(Link, Bytes)> {
    let upgraded = match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => return tcp(parts.io.into_inner(), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    let upgraded = match downcast::<TokioIo<UnixStream>>(upgraded) {
        Ok(parts) => return Ok((Link::plain(parts.io.into_inner().into_std()?), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => tcp(parts.io.into_inner(), parts.read_buf),
        Err(upgraded) => Ok((bridge::build(upgraded)?, Bytes::new())),
    }
}

fn tcp(socket: TcpStream, read_ahead: Bytes) -> io::Result<(Link, Bytes)> {
    // As for sockets that we accept ourselves. One that refuses is broken, and says so at the first read.
    let _ = socket.set_nodelay(true);
    Ok((Link::plain(socket.into_std()?), read_ahead))
}

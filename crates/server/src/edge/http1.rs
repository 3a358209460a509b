//! A connection that speaks HTTP/1, until it is a WebSocket or over.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Request, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1::{Builder, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;

use super::conversation::Conversation;
use super::framing::Ambiguity;
use super::guarded::Guarded;
use super::limits::{
    FAREWELL_TIMEOUT, HEAD_BYTES_MAX, KEEP_ALIVE_REQUESTS_MAX, READ_AHEAD_BYTES_MAX, SKIPPED_BYTES_MAX,
};
use super::patience::Patient;
use super::plain;
use super::stream::Stream;
use super::upgrade::the_only;
use crate::dev_proxy::Tunnel;
use crate::engine::{Agreed, Arrival, Permit, Purpose, ShardHandle};

/// Answers requests, one after the other. What becomes a WebSocket goes to the shard.
pub(super) async fn serve(conversation: &Conversation, socket: Patient, permit: Permit) {
    let counters = &conversation.edge.counters;
    let (ambiguity, requests, purpose) = (Cell::new(None), Cell::new(0), Cell::new(None));
    let tunnel = Cell::new(None);
    let service = service_fn(async |request: Request<Incoming>| {
        requests.set(requests.get() + 1);
        let is_last = requests.get() >= KEEP_ALIVE_REQUESTS_MAX || is_not_followed(&request);
        let is_long = request.body().size_hint().lower() > SKIPPED_BYTES_MAX as u64;
        let mut response = match refuse(&request) {
            Some(refusal) => {
                counters.answered("malformed", refusal.status());
                refusal
            }
            None => {
                let (mut response, found) = conversation.answer(request).await;
                purpose.set(found);
                tunnel.set(Tunnel::of(&mut response));
                response
            }
        };
        // Of a body that nobody wanted to read the rest is still to come, and nothing can follow it.
        let is_unread = is_long && !response.status().is_success();
        if (is_last || is_unread) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok::<_, Infallible>(response)
    });
    let socket = Guarded::new(socket, &ambiguity);
    match builder(conversation.edge.timeouts.head).serve_connection(socket, service).without_shutdown().await
    {
        Ok(Parts { io, read_buf, .. }) => {
            let (stream, ahead) = io.into_inner().into_parts();
            let leftover = || if ahead.is_empty() { read_buf } else { [read_buf, ahead].concat().into() };
            if let Some((purpose, agreed)) = purpose.take() {
                hand_over(stream, leftover(), purpose, agreed, permit, &conversation.shard);
            } else if let Some(tunnel) = tunnel.take() {
                // Both ends see when it is cut, and nobody else asks why.
                let _ = tunnel.carry(stream, leftover()).await;
            } else {
                // Whoever does not take it has had its answer.
                let _ = timeout(FAREWELL_TIMEOUT, stream.take_leave()).await;
            }
        }
        Err(error) => {
            let ambiguity = ambiguity.get().map(Ambiguity::name);
            counters.broken_off(ambiguity.unwrap_or_else(|| reason(&error)));
        }
    }
}

/// Whether [`Framing`](super::framing::Framing) does not know where this request ends, so that it must be the last.
fn is_not_followed(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(UPGRADE)
}

/// What an HTTP parser cannot object to, and two servers could still take in two ways (RFC 9112, section 3.2).
fn refuse(request: &Request<Incoming>) -> Option<Response> {
    let host = the_only(request.headers(), &HOST);
    let refusal = match (host, request.uri().authority()) {
        (None, _) if request.version() == Version::HTTP_11 => "A request says in Host, once, where it goes.",
        (Some(host), Some(authority)) if !authority.as_str().eq_ignore_ascii_case(host) => {
            "A request's target and its Host are different."
        }
        _ if request.headers().contains_key(UPGRADE) && !request.body().is_end_stream() => {
            "A request that asks for an upgrade has no body."
        }
        _ => return None,
    };
    let mut response = plain(StatusCode::BAD_REQUEST, refusal);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

fn builder(head_timeout: Duration) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
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

/// Gives the connection to the shard, out of the hands of HTTP and of the runtime.
fn hand_over(
    stream: Stream,
    read_ahead: Bytes,
    purpose: Purpose,
    agreed: Agreed,
    permit: Permit,
    shard: &ShardHandle,
) {
    // The runtime only fails to let go of a socket that is broken already.
    let Ok((link, deciphered)) = stream.into_link() else { return };
    let leftover = match deciphered.is_empty() {
        true => read_ahead,
        false => [read_ahead, deciphered].concat().into(),
    };
    shard.adopt(Arrival { link, leftover, purpose, agreed, permit });
}

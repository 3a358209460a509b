//! One request over HTTP/2, and its answer.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::response::Parts;
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::flow::{self, Stopped};
use super::request::{TwoHosts, Upload, translate};
use super::tunnel;
use crate::edge::conversation::Conversation;
use crate::edge::plain;

/// Headers of a connection of HTTP/1, which make an answer of HTTP/2 malformed (RFC 9113 section 8.2.2).
const OF_HTTP_1: [HeaderName; 5] = [
    CONNECTION,
    UPGRADE,
    TRANSFER_ENCODING,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Answers one request.
pub(super) async fn answer(
    conversation: Rc<Conversation>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let counters = conversation.edge.counters.clone();
    let open = counters.http2_streams.hold();
    let (mut parts, stream) = request.into_parts();
    let translated = translate(&mut parts);
    // What follows a CONNECT is no body.
    let (body, up) = match parts.method {
        Method::CONNECT => (Body::empty(), Some(stream)),
        _ => (Body::new(Upload::new(stream, &parts.headers)), None),
    };
    let request = Request::from_parts(parts, body);
    let answer = async {
        match translated {
            Ok(()) => conversation.answer(request).await,
            Err(TwoHosts) => {
                counters.answered("malformed", StatusCode::BAD_REQUEST);
                (plain(StatusCode::BAD_REQUEST, ":authority and Host name different hosts."), None)
            }
        }
    };
    let (response, purpose) = tokio::select! {
        answer = answer => answer,
        // Nobody waits for the answer any more.
        _ = poll_fn(|cx| respond.poll_reset(cx)) => return,
    };
    match (purpose, up) {
        (Some((purpose, _)), Some(up)) => {
            tunnel::open(conversation.clone(), &mut respond, response, up, purpose, open).await
        }
        _ => send(&mut respond, response, conversation.edge.timeouts.write).await,
    }
}

/// Sends an answer that is no WebSocket.
pub(super) async fn send(respond: &mut SendResponse<Bytes>, response: Response, patience: Duration) {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    let is_over = body.is_end_stream();
    if let Some(stream) = send_head(respond, head, is_over)
        && !is_over
    {
        send_body(stream, body, patience).await;
    }
}

/// Sends the head of an answer. There is no stream if the peer is gone.
pub(super) fn send_head(
    respond: &mut SendResponse<Bytes>,
    mut head: Parts,
    is_over: bool,
) -> Option<SendStream<Bytes>> {
    complete(&mut head.headers);
    respond.send_response(http::Response::from_parts(head, ()), is_over).ok()
}

/// Says what every answer says, and nothing that only HTTP/1 may.
fn complete(headers: &mut HeaderMap) {
    for name in OF_HTTP_1 {
        headers.remove(name);
    }
    // The text of a date is made of letters that every header may have.
    if let Ok(now) = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now())) {
        headers.entry(DATE).or_insert(now);
    }
}

async fn send_body(mut stream: SendStream<Bytes>, mut body: Body, patience: Duration) {
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = flow::reset(&mut stream) => return,
        };
        let sent = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => flow::send(&mut stream, bytes, patience).await,
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return stream.send_trailers(trailers).unwrap_or_default();
                }
            },
            Some(Err(_)) => {
                stream.send_reset(Reason::INTERNAL_ERROR);
                return;
            }
            None => {
                // Whoever is gone needs no end.
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
        };
        match sent {
            Ok(()) => {}
            Err(Stopped::Gone | Stopped::Blocked) => return,
        }
    }
}

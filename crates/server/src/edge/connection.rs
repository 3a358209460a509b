//! One TCP connection, for as long as it speaks HTTP.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use hyper::server::conn::http1::{Builder, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Edge;
use super::conversation::Conversation;
use super::http2;
use super::introduction::introduction;
use super::limits::{HEAD_BYTES_MAX, HEAD_TIMEOUT, READ_AHEAD_BYTES_MAX, WRITE_TIMEOUT};
use super::patience::Patient;
use super::preface::{self, Version};
use super::stream::Stream;
use crate::engine::{Arrival, Incoming, Permit, Purpose, ShardHandle};

/// Answers requests until the peer leaves or takes too long. Over HTTP/1, a connection that becomes a WebSocket is
/// then adopted by the shard.
pub(super) async fn serve(edge: Arc<Edge>, incoming: Incoming) {
    let Incoming { mut stream, mut peer, shard, permit } = incoming;
    if edge.proxies.introduces(peer) {
        match introduction(&mut stream, peer).await {
            Ok(client) => peer = client,
            Err(reason) => return edge.counters.broken_off(reason),
        }
    }
    let has_http2 = edge.has_http2;
    let conversation = Conversation::new(edge, shard, peer);
    let Some((version, socket)) = open(&conversation, stream).await else { return };
    match version {
        Version::Two if has_http2 => http2::serve(conversation, TokioIo::new(socket), permit).await,
        Version::One | Version::Two => serve_http1(&conversation, socket, permit).await,
    }
}

/// Finds out which version of HTTP is spoken: by its first bytes, or by what was agreed upon when TLS shook hands
/// (ALPN, RFC 7301). What comes to nothing is counted.
async fn open(conversation: &Conversation, stream: TcpStream) -> Option<(Version, Patient)> {
    let counters = &conversation.edge.counters;
    let Some(tls) = &conversation.edge.tls else {
        let begun = timeout(HEAD_TIMEOUT, preface::read(&stream)).await;
        let begun = begun.map_err(|_| "timeout").and_then(|read| read.map_err(|_| "connection_lost"));
        let (version, ahead) = begun.map_err(|reason| counters.broken_off(reason)).ok()?;
        return Some((version, Patient::new(ahead, Stream::Plain(stream), WRITE_TIMEOUT)));
    };
    if let Some(turned_away) = conversation.turned_away {
        // Words would cost a handshake, which is more than a stranger may have who has had enough.
        counters.tls_failed(turned_away.name());
        return None;
    }
    let stream = tls.accept(stream).await?;
    let version = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Version::Two,
        _ => Version::One,
    };
    Some((version, Patient::new(Bytes::new(), Stream::Tls(Box::new(stream)), WRITE_TIMEOUT)))
}

async fn serve_http1(conversation: &Conversation, socket: Patient, permit: Permit) {
    let purpose = Cell::new(None);
    let service = service_fn(async |request| {
        let (response, found) = conversation.answer(request).await;
        purpose.set(found);
        Ok::<_, Infallible>(response)
    });
    match builder().serve_connection(socket, service).without_shutdown().await {
        Ok(Parts { io, read_buf, .. }) => {
            if let Some(purpose) = purpose.take() {
                let (stream, ahead) = io.into_parts();
                let leftover = if ahead.is_empty() { read_buf } else { [read_buf, ahead].concat().into() };
                hand_over(stream, leftover, purpose, permit, &conversation.shard);
            }
        }
        Err(error) => conversation.edge.counters.broken_off(reason(&error)),
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

/// Gives the connection to the shard, out of the hands of HTTP and of the runtime.
fn hand_over(stream: Stream, read_ahead: Bytes, purpose: Purpose, permit: Permit, shard: &ShardHandle) {
    // The runtime only fails to let go of a socket that is broken already.
    let Ok((link, deciphered)) = stream.into_link() else { return };
    let leftover = match deciphered.is_empty() {
        true => read_ahead,
        false => [read_ahead, deciphered].concat().into(),
    };
    shard.adopt(Arrival { link, leftover, purpose, permit });
}

//! One TCP connection, for as long as it speaks HTTP.

use std::sync::Arc;

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Edge;
use super::conversation::Conversation;
use super::introduction::introduction;
use super::patience::Patient;
use super::preface::{self, Version};
use super::stream::Stream;
use super::{http1, http2};
use crate::engine::Incoming;

/// Answers requests until the peer leaves or takes too long. Over HTTP/1, a connection that becomes a WebSocket is
/// then adopted by the shard.
pub(super) async fn serve(edge: Arc<Edge>, incoming: Incoming) {
    let Incoming { mut stream, mut peer, shard, permit } = incoming;
    if edge.proxies.introduces(peer) {
        match introduction(&mut stream, peer, edge.timeouts.head).await {
            Ok(client) => peer = client,
            Err(reason) => return edge.counters.broken_off(reason),
        }
    }
    let has_http2 = edge.has_http2;
    let conversation = Conversation::new(edge, shard, peer);
    let Some((version, socket)) = open(&conversation, stream).await else { return };
    match version {
        Version::Two if has_http2 => http2::serve(conversation, TokioIo::new(socket), permit).await,
        Version::One | Version::Two => http1::serve(&conversation, socket, permit).await,
    }
}

/// Finds out which version of HTTP is spoken: by its first bytes, or by what was agreed upon when TLS shook hands
/// (ALPN, RFC 7301). What comes to nothing is counted.
async fn open(conversation: &Conversation, stream: TcpStream) -> Option<(Version, Patient)> {
    let (counters, timeouts) = (&conversation.edge.counters, conversation.edge.timeouts);
    let Some(tls) = &conversation.edge.tls else {
        let begun = timeout(timeouts.head, preface::read(&stream)).await;
        let begun = begun.map_err(|_| "timeout").and_then(|read| read.map_err(|_| "connection_lost"));
        let (version, ahead) = begun.map_err(|reason| counters.broken_off(reason)).ok()?;
        return Some((version, Patient::new(ahead, Stream::Plain(stream), timeouts.write)));
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
    Some((version, Patient::new(Bytes::new(), Stream::Tls(Box::new(stream)), timeouts.write)))
}

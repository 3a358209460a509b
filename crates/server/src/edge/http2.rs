//! One connection of HTTP/2 (RFC 9113): many requests at a time, and WebSockets among them (RFC 8441).
//!
//! Each request is a task of its own on the shard's runtime. What a peer can make us keep for all of them together is
//! bounded by the windows and counts of [`limits`](super::limits), which [`builder`] sets one by one.

mod echo;
mod flow;
mod pulse;
mod request;
mod response;
mod tunnel;

pub(super) use request::translate;
pub(super) use tunnel::Terms;

use std::pin::pin;
use std::rc::Rc;

use bytes::Bytes;
use h2::server::{Builder, Connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_local;
use tokio::time::timeout;

use self::pulse::{Beat, Pulse};
use super::conversation::Conversation;
use super::limits::{
    CONNECTION_WINDOW_BYTES, ERROR_RESETS_MAX, HEAD_BYTES_MAX, HEADER_TABLE_BYTES, PENDING_RESETS_MAX,
    REMEMBERED_RESETS_MAX, STREAM_UNSENT_BYTES_MAX, STREAM_WINDOW_BYTES,
};
use crate::engine::Permit;

/// Answers requests until the peer leaves, is gone, or has asked for nothing in a while; or until the node drains and
/// what was asked before is answered. The connection has its permit as long.
pub(super) async fn serve<T>(conversation: Conversation, socket: T, _permit: Permit)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let counters = conversation.edge.counters.clone();
    let handshake = builder(conversation.edge.streams_max).handshake(socket);
    let connection = match timeout(conversation.edge.timeouts.head, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return counters.broken_off(reason(&error)),
        Err(_) => return counters.broken_off("timeout"),
    };
    let _open = counters.http2_connections.hold();
    let _visitor = conversation.take_visitor();
    if let Err(reason) = answer_all(Rc::new(conversation), connection).await {
        counters.broken_off(reason);
    }
}

/// The limits of a connection, each set by name: none is left to what a library thinks right. A head that comes in
/// more CONTINUATION frames than its length needs (CVE-2024-27316) is the one thing that the library counts itself.
fn builder(streams_max: u32) -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_connect_protocol()
        .max_concurrent_streams(streams_max)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .header_table_size(HEADER_TABLE_BYTES)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buffer_size(STREAM_UNSENT_BYTES_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(Some(ERROR_RESETS_MAX))
        .max_concurrent_reset_streams(REMEMBERED_RESETS_MAX);
    builder
}

/// Takes requests, and drives all that is said on the connection meanwhile.
///
/// # Errors
/// Why it ended before it should have, for the metrics.
async fn answer_all<T>(
    conversation: Rc<Conversation>,
    mut connection: Connection<T, Bytes>,
) -> Result<(), &'static str>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut pulse = Pulse::of(&mut connection);
    let mut draining = pin!(conversation.shard.engine().draining());
    let mut is_draining = false;
    loop {
        tokio::select! {
            biased;
            asked = connection.accept() => match asked {
                Some(Ok((request, respond))) => {
                    pulse.asked();
                    spawn_local(response::answer(conversation.clone(), request, respond));
                }
                Some(Err(error)) => return Err(reason(&error)),
                None => return Ok(()),
            },
            () = pulse.wait() => match pulse.beat(connection.has_streams()) {
                Beat::Alive => {}
                Beat::Idle => connection.graceful_shutdown(),
                Beat::Lost => return Err("timeout"),
            },
            () = &mut draining, if !is_draining => {
                is_draining = true;
                connection.graceful_shutdown();
            }
        }
    }
}

/// Why HTTP/2 ended before it should have, for the metrics.
fn reason(error: &h2::Error) -> &'static str {
    if error.is_io() {
        "connection_lost"
    } else if error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) {
        "flood"
    } else {
        "malformed"
    }
}

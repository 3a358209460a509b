//! A WebSocket on a stream of HTTP/2 (RFC 8441): its frames are what the stream carries.
//!
//! Two halves run in one task, and share a [`Talk`]. One hears the client, and brings what it says to the session. The
//! other is the only one that speaks, so that no frame is ever cut by another: messages of the session, pings and
//! pongs, and at last the close frame, whoever has called for it.

mod ears;
mod mouth;
mod pinging;
mod talk;

use std::rc::Rc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::StatusCode;
use spanwire_wire::DisconnectCode;
use spanwire_ws::{self as ws, Opcode};
use tokio::task::spawn_local;

use self::mouth::Mouth;
use self::talk::Talk;
use super::echo;
use super::response::{send, send_head};
use crate::config::Settings;
use crate::edge::conversation::Conversation;
use crate::edge::plain;
use crate::engine::limits::ECHO_MESSAGE_BYTES_MAX;
use crate::engine::pipe::{NoRoom, Pipe};
use crate::engine::{Purpose, Rhythm, Transport, opcode_of};
use crate::metrics::Held;

/// Both directions of a stream.
pub(super) struct Tunnel {
    pub(super) up: RecvStream,
    pub(super) down: SendStream<Bytes>,
}

/// Answers that a request is a WebSocket now, which is served by a task of its own: what was needed to decide about it
/// would else be kept as long as it lives. `open` counts the stream, and goes with it.
pub(super) async fn open(
    conversation: Rc<Conversation>,
    respond: &mut SendResponse<Bytes>,
    response: Response,
    up: RecvStream,
    purpose: Purpose,
    open: Held,
) {
    let (head, _) = response.into_parts();
    match purpose {
        Purpose::Echo => {
            let Some(down) = send_head(respond, head, false) else { return };
            spawn_local(async move {
                echo::serve(Tunnel { up, down }, &conversation.edge.websocket).await;
                drop(open);
            });
        }
        Purpose::Session { opening, visitor } => {
            let (opcode, heartbeat) = (opcode_of(opening.encoding), opening.transport_pings);
            let piped = conversation.shard.open_piped(Transport::Http2WebSocket, opening, visitor);
            let Ok(pipe) = piped else {
                conversation.edge.counters.refused("no_room");
                let refusal = plain(StatusCode::SERVICE_UNAVAILABLE, NoRoom.to_string());
                return send(respond, refusal, conversation.edge.timeouts.write).await;
            };
            let Some(down) = send_head(respond, head, false) else { return };
            spawn_local(async move {
                Tunnel { up, down }.serve(pipe, opcode, heartbeat, &conversation.edge.websocket).await;
                drop(open);
            });
        }
    }
}

/// What holds for all WebSockets on streams.
#[derive(Clone, Debug)]
pub(in crate::edge) struct Terms {
    pub(in crate::edge) session: ws::Limits,
    pub(in crate::edge) echo: ws::Limits,
    /// How long a client may take no byte of what it is sent.
    pub(in crate::edge) write_timeout: Duration,
    /// The pings of clients that chose native ones.
    pub(in crate::edge) rhythm: Rhythm,
}

impl Terms {
    /// As these settings say.
    pub(in crate::edge) fn of(settings: &Settings) -> Self {
        let limits =
            |bytes| ws::Limits { frame_bytes_max: bytes, message_bytes_max: bytes, ..ws::Limits::default() };
        Self {
            session: limits(settings.websocket.message_size_limit),
            echo: ws::Limits { fragments_max: u32::MAX, ..limits(ECHO_MESSAGE_BYTES_MAX) },
            write_timeout: settings.websocket.write_timeout,
            rhythm: Rhythm { interval: settings.limits.ping_interval, timeout: settings.limits.pong_timeout },
        }
    }
}

/// How a WebSocket has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Both sides have said so, or ours was the last word.
    Said,
    /// The client broke the protocol, and was told.
    Failed(ws::PeerError),
    /// The client is gone, or has reset the stream.
    Gone,
    /// The client has answered no ping, and was told.
    Silent,
    /// The client takes nothing, so that nothing can be said to it.
    Blocked,
}

impl Tunnel {
    /// Serves a session until one side ends it.
    pub(super) async fn serve(self, mut pipe: Pipe, opcode: Opcode, heartbeat: bool, terms: &Terms) {
        let Self { mut up, down } = self;
        let talk = Talk::default();
        let inlet = pipe.inlet().clone();
        let mut mouth = Mouth::new(down, opcode, &talk, terms);
        let end = tokio::select! {
            biased;
            end = mouth.speak(&mut pipe, heartbeat) => end,
            () = ears::hear(&mut up, &inlet, &talk, &terms.session) => End::Gone,
        };
        match end {
            End::Said => mouth.finish(),
            End::Failed(sin) => {
                mouth.finish();
                pipe.fail(sin);
            }
            End::Silent => {
                mouth.finish();
                pipe.abandon(DisconnectCode::NoPong);
            }
            End::Gone => mouth.reset(Reason::CANCEL),
            End::Blocked => {
                mouth.reset(Reason::CANCEL);
                pipe.abandon(DisconnectCode::WriteError);
            }
        }
    }
}

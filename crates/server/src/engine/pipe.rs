//! Sessions whose bytes go by memory: between a shard and a task that knows how to bring them to a client.
//!
//! A raw socket is served by its shard itself. Whatever else can carry a session (an HTTP response, a stream of
//! HTTP/2, requests that poll) is served by a task, which meets the shard by a [`Pipe`]:
//!
//! ```text
//! task ── Inlet::send(frame) ─► Hub ─► outbox ─► Pipe::recv() ── task
//! ```
//!
//! Messages cross it, not bytes: downwards whole messages of the hub, each a frame of one or more replies in the
//! session's encoding; upwards whole frames of commands. Backpressure works both ways. A task that does not come
//! for the next [`Parcel`] leaves the messages in the session's outbox, where the limit of slow clients (code 3008)
//! and the write timeout (code 3009) are the same as for sockets; and [`Inlet::send`] waits while the hub is busy
//! with what the client has said before.
//!
//! The task's whole duty: open it by [`ShardHandle::open_piped`], give it the client's frames, bring the client what
//! [`Pipe::recv`] yields, and drop the pipe when the client is gone, or after [`Parcel::Close`] was said to it.
//! Heartbeats of the protocol are the hub's; a task that pings by the means of its transport says so by
//! [`Opening::transport_pings`](spanwire_hub::Opening) and ends a silent client by [`Pipe::abandon`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use spanwire_hub::{Opening, SessionId};
use spanwire_wire::{DisconnectCode, DisconnectReason};
use spanwire_ws::PeerError;
use tokio::sync::mpsc;

use super::letter::Letter;
use super::limits::INLET_FRAMES_MAX;
use super::{Permit, ShardHandle, Transport, Visitor};

/// The task's end of a session: what the client is to be told, in order. Dropped, the client is gone.
#[derive(Debug)]
pub struct Pipe {
    parcels: mpsc::Receiver<Parcel>,
    inlet: Inlet,
}

/// What a shard hands over at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parcel {
    /// Messages for the client, oldest first: about [as many bytes](super::limits::PARCEL_BYTES) as one write of a
    /// socket would carry, or one message that is longer. Each is one frame in the session's encoding; a JSON one may
    /// have several lines.
    Messages(Vec<Bytes>),
    /// The session has ended for this reason. Nothing follows.
    Close(DisconnectReason),
}

/// The way of a client's commands into its session. Cheap to clone, for requests that come on their own.
#[derive(Clone, Debug)]
pub struct Inlet {
    frames: mpsc::Sender<Bytes>,
    bell: Arc<Bell>,
    shard: ShardHandle,
}

/// The session has ended, and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct Ended;

/// There are as many connections as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are as many connections as there may be")]
pub struct NoRoom;

/// How a task makes its shard look at a pipe.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// Set by the shard, before it looks for the first time.
    pub(super) session: OnceLock<SessionId>,
    /// A letter is on its way to the shard: one is enough, whatever happens meanwhile.
    pub(super) is_rung: AtomicBool,
    /// The shard has more for the task, and found the last parcel still there.
    pub(super) wants_room: AtomicBool,
    /// The code with which the task ended the session.
    pub(super) verdict: OnceLock<u32>,
}

/// A piped session on its way into its shard.
#[derive(Debug)]
pub(super) struct PipeArrival {
    pub(super) opening: Opening,
    pub(super) visitor: Visitor,
    pub(super) transport: Transport,
    pub(super) parcels: mpsc::Sender<Parcel>,
    pub(super) frames: mpsc::Receiver<Bytes>,
    pub(super) bell: Arc<Bell>,
    pub(super) permit: Permit,
}

impl ShardHandle {
    /// Opens a session on this shard whose client a task serves; from any thread, but cheapest from the shard's own.
    ///
    /// # Errors
    /// [`NoRoom`] if there are as many connections as there may be. If the shard has ended, the pipe has too.
    pub fn open_piped(
        &self,
        transport: Transport,
        opening: Opening,
        visitor: Visitor,
    ) -> Result<Pipe, NoRoom> {
        let permit = self.engine().permits().acquire().ok_or(NoRoom)?;
        let (outlet, parcels) = mpsc::channel(1);
        let (inlet, frames) = mpsc::channel(INLET_FRAMES_MAX);
        let bell = Arc::<Bell>::default();
        let arrival =
            PipeArrival { opening, visitor, transport, parcels: outlet, frames, bell: bell.clone(), permit };
        // A shard that has ended drops the letter, and with it the other ends of the channels.
        let _ = self.put(Letter::OpenPipe(Box::new(arrival)));
        Ok(Pipe { parcels, inlet: Inlet { frames: inlet, bell, shard: self.clone() } })
    }
}

impl Pipe {
    /// The next parcel; `None` once the session is over. Cancel safe.
    pub async fn recv(&mut self) -> Option<Parcel> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`Pipe::recv`], for who is polled himself.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parcel>> {
        let polled = self.parcels.poll_recv(cx);
        if let Poll::Ready(Some(_)) = polled
            && self.inlet.bell.wants_room.swap(false, Ordering::SeqCst)
        {
            self.inlet.ring();
        }
        polled
    }

    /// The way in.
    pub fn inlet(&self) -> &Inlet {
        &self.inlet
    }

    /// Ends the session because its client does not do its part: it sent what it must not, or nothing for too long.
    pub fn abandon(self, code: DisconnectCode) {
        // Only the first reason counts, and there is none before this.
        let _ = self.inlet.bell.verdict.set(code.code());
    }

    /// Ends the session because its client broke RFC 6455, and was told so by a close frame with this error's code.
    pub(crate) fn fail(self, sin: PeerError) {
        self.inlet.shard.stats().peer_errors.count(sin.reason());
        // As above.
        let _ = self.inlet.bell.verdict.set(sin.close_code().number().into());
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.parcels.close();
        self.inlet.ring();
    }
}

impl Inlet {
    /// Brings a frame of commands, as soon as the session has begun with those before it. Senders take turns in the
    /// order in which they came. The frame's size is for the caller to limit.
    ///
    /// # Errors
    /// The session has ended.
    pub async fn send(&self, frame: Bytes) -> Result<(), Ended> {
        self.frames.send(frame).await.map_err(|_| Ended)?;
        self.ring();
        Ok(())
    }

    /// Waits until the session has ended.
    pub async fn ended(&self) {
        self.frames.closed().await;
    }

    /// Whether the session has ended.
    pub fn is_ended(&self) -> bool {
        self.frames.is_closed()
    }

    fn ring(&self) {
        if !self.bell.is_rung.swap(true, Ordering::SeqCst) {
            // A shard that has ended has nothing to look at.
            let _ = self.shard.put(Letter::Pipe(self.bell.clone()));
        }
    }
}

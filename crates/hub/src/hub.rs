//! The hub of one shard: its sessions, the channels they are in, and the way of a publication to all of them.

use crate::limits::Limits;
use crate::namespace::Namespaces;
use crate::outbox::Outbox;
use crate::time::{Instant, Now};
use crate::{Input, Opening, Output, SessionId};

/// What a hub is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// What anything may cost.
    pub limits: Limits,
    /// What clients may do where.
    pub namespaces: Namespaces,
    /// The version text of the connect reply.
    pub version: String,
}

/// How much there is in a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open sessions, connected or not.
    pub sessions: usize,
    /// Sessions that have connected.
    pub clients: usize,
    /// Subscriptions of all sessions.
    pub subscriptions: usize,
    /// Channels with at least one subscription here.
    pub channels: usize,
}

/// The sessions of one shard and the channels they are in: a value that takes one step at a time.
///
/// Four kinds of method carry everything: [`open`](Self::open) and [`handle`](Self::handle) put in what happened;
/// [`poll_output`](Self::poll_output) takes out what the hub asks of the world; [`poll_dirty`](Self::poll_dirty) and
/// [`outbox_mut`](Self::outbox_mut) take out what clients are to be sent; [`next_deadline`](Self::next_deadline) says
/// when to come back without cause. After each turn drain `poll_output`, then `poll_dirty`.
#[derive(Debug)]
pub struct Hub {}

impl Hub {
    /// A hub without sessions. All its chance (client ids, the spread of heartbeats) comes from `seed`.
    pub fn new(config: Config, seed: [u8; 32]) -> Self { let _ = (config, seed); Self {} }

    /// A connection is there. Until it is [`Input::Gone`] the id names its session, also after it was closed.
    pub fn open(&mut self, now: Now, opening: Opening) -> SessionId { let _ = (now, opening); todo!() }

    /// Takes one step. Inputs for a session that is closed or gone are ignored.
    pub fn handle(&mut self, now: Now, input: Input<'_>) { let _ = (now, input); todo!() }

    /// The next thing that the hub asks of the world.
    pub fn poll_output(&mut self) -> Option<Output> { todo!() }

    /// When [`Input::Tick`] is due, if nothing else happens.
    pub fn next_deadline(&self) -> Option<Instant> { todo!() }

    /// Whether frames of this client would have to wait: the transport had better leave them in the socket until
    /// [`Output::Resume`].
    pub fn is_busy(&self, id: SessionId) -> bool { let _ = id; todo!() }

    /// The next session whose outbox got something since it was last polled here.
    pub fn poll_dirty(&mut self) -> Option<SessionId> { todo!() }

    /// What a client has not been sent yet; `None` once the session is gone.
    pub fn outbox_mut(&mut self, id: SessionId) -> Option<&mut Outbox> { let _ = id; todo!() }

    /// How much there is.
    pub fn census(&self) -> Census { todo!() }

    /// Channels with subscribers here, and how many.
    pub fn channels(&self) -> impl Iterator<Item = (&str, usize)> { std::iter::empty() }
}

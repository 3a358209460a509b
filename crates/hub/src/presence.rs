//! Presence: who is in a channel, over all shards and nodes.
//!
//! The same shape as [`Broker`](crate::broker::Broker): requests in, answers out, no calls back.
//! What every implementation owes ([`crate::conformance`] tests it): an `Add` that was answered is seen by every
//! later `Get`; requests of one listener for one channel take effect in their order; an entry lives until it
//! is removed, or until its lease ends for those that have leases.

mod memory;

pub use memory::MemoryPresence;

use std::collections::BTreeMap;
use std::time::Duration;

use spanwire_wire::message::ClientInfo;

use crate::broker::{BrokerError, Listener, Ticket};
use crate::channel::Channel;
use crate::time::Now;

/// What can be asked about the presence of one channel.
#[derive(Clone, Debug)]
pub enum PresenceRequest {
    /// A client is here; repeated, it renews the lease and replaces the info.
    Add(ClientInfo),
    /// The client with this id is not here any more.
    Remove(String),
    /// Everybody.
    Get,
    /// How many.
    Stats,
}

/// What presence answers.
#[derive(Clone, Debug, PartialEq)]
pub enum PresenceAnswer {
    /// Done; there is nothing to tell.
    Done,
    /// Client id → who that is.
    Clients(BTreeMap<String, ClientInfo>),
    /// How many clients, and how many different users among them (all anonymous ones count as one).
    Stats {
        /// Connections.
        clients: u32,
        /// Distinct user ids.
        users: u32,
    },
    /// Not done.
    Refused(BrokerError),
}

/// One who knows who is where.
pub trait Presence {
    /// Takes a request. [`Presence::poll`] is to be drained afterwards.
    fn submit(
        &mut self,
        now: Now,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        request: PresenceRequest,
    );

    /// The next answer and whom it is for.
    fn poll(&mut self) -> Option<(Listener, Ticket, PresenceAnswer)>;

    /// How often an entry must be added again to stay; `None` if it stays until removed.
    fn lease(&self) -> Option<Duration>;
}

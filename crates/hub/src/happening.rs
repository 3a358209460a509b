//! What happens in the lives of clients, for whoever keeps account of it.

use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::{DisconnectReason, UnsubscribeCode};

use crate::channel::Channel;

/// Which happenings a hub reports, by [`Output::Happened`](crate::Output::Happened). By default none, and then they cost
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// That clients connect and disconnect.
    pub connections: bool,
    /// That clients subscribe and unsubscribe.
    pub subscriptions: bool,
}

/// Something that happened to one client. Those of one hub are reported in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The client's id.
    pub client: String,
    /// Whose it is; empty is anonymous.
    pub user: Arc<str>,
    /// `conn_info`; empty is nothing.
    pub info: Bytes,
    /// What happened.
    pub what: What,
}

/// What can happen to a client. Each beginning has one end, and what a client was subscribed to ends before it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Its connect command was granted.
    Connected,
    /// It is gone, for this reason.
    Disconnected(DisconnectReason),
    /// It hears a channel from now on.
    Subscribed(Subscribed),
    /// It does not any more.
    Unsubscribed(Subscribed, UnsubscribeCode),
}

/// One client's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// To what.
    pub channel: Channel,
    /// `chan_info`; empty is nothing.
    pub info: Bytes,
}

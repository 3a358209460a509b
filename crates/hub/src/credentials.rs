//! Who somebody is, and what comes with it.

use bytes::Bytes;

use crate::capabilities::Capabilities;
use crate::channel::Channel;
use crate::revocation::TokenMark;
use crate::right::Rights;
use crate::session::SubscriptionOptions;

/// Who somebody is, and what comes with it.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user; empty is anonymous.
    pub user: String,
    /// What others are told of this connection (`conn_info`); raw JSON or binary, empty is nothing.
    pub info: Bytes,
    /// Unix seconds at which the connection expires unless it is refreshed; `None` never.
    pub expire_at: Option<u64>,
    /// Custom data for the connect reply; empty is nothing.
    pub data: Bytes,
    /// Server-side subscriptions.
    pub channels: Vec<(Channel, Grant)>,
    /// What it may do beyond what namespaces permit.
    pub capabilities: Capabilities,
    /// What the backend wants to be told of this connection whenever it is asked; nobody else sees it.
    pub meta: Bytes,
    /// When the connection expires, the backend is asked whether it goes on; the client need not refresh it.
    pub renewed_by_backend: bool,
    /// Which token says so; `None` if none does.
    pub token: Option<TokenMark>,
}

/// What a subscription token, or the backend, says of one subscription.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// What others are told of this subscription (`chan_info`); empty is nothing.
    pub info: Bytes,
    /// Custom data for the subscribe reply; empty is nothing.
    pub data: Bytes,
    /// Unix seconds at which the subscription expires unless it is refreshed; `None` never.
    pub expire_at: Option<u64>,
    /// What it changes of the namespace's options.
    pub options: SubscriptionOptions,
    /// Give it the latest publication as it comes, and whenever it comes back, as
    /// [`RecoveryMode::Cache`](crate::namespace::RecoveryMode::Cache) would; not without a history.
    pub cache_recover: bool,
    /// What the subscriber may do in the channel beyond what its namespace permits.
    pub rights: Rights,
    /// Which token says so; `None` if none does, or that of the connection.
    pub token: Option<TokenMark>,
}

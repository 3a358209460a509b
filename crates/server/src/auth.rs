//! Who may connect, and who may subscribe: tokens, origins, hosts.
//!
//! Everything here is decided before any state is made for the stranger who asks.

mod capabilities;
mod claims;
mod gate;
mod host;
mod origin;
mod revocations;
mod token;

pub(crate) use capabilities::{Allow, CapabilityClaim, capabilities};
pub(crate) use claims::{Override, payload};
pub use gate::{Anonymous, Gate};
pub use host::{HostPolicy, HostRefusal};
pub use origin::{OriginPolicy, OriginRefusal};
pub use revocations::{ListFull, NAME_BYTES_MAX, Revocations, Revoked};
pub use token::{
    Expected, FetchCounts, Jwks, Key, PemError, Published, Rules, Step, Template, TemplateError, TokenError,
    Verifier,
};

use std::net::SocketAddr;

use spanwire_hub::channel::Channel;
use spanwire_hub::{Authenticate, Credentials, Grant, Refusal};

use crate::backend::Forwarded;

/// What the transport knows of a client, for those who decide about it.
///
/// Every idle connection pays for this, so it holds what no later moment can tell and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The client: the other end of the TCP connection, or who a trusted proxy says that it is. Port 0 if it said none.
    pub client: SocketAddr,
    /// What the backend wants to see of its headers; `None` if that is nothing.
    pub headers: Option<Box<Forwarded>>,
}

impl ConnectionInfo {
    /// What is known of every client.
    pub fn new(client: SocketAddr) -> Self {
        Self { client, headers: None }
    }
}

/// What a token is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    /// To connect, or to stay connected.
    Connection,
    /// To subscribe to a channel, or to stay subscribed.
    Subscription,
}

/// One who says who somebody is and what a token is good for.
///
/// Called within a shard's turn: an implementation computes and answers, it does not wait.
pub trait Authorize: Send + Sync {
    /// Who wants to connect?
    ///
    /// # Errors
    /// [`Refusal::Error`] becomes the error reply of the `connect` command, [`Refusal::Disconnect`] ends the
    /// connection.
    fn authenticate(
        &self,
        now_unix: u64,
        request: &Authenticate,
        connection: &ConnectionInfo,
    ) -> Result<Credentials, Refusal>;

    /// Does this token prolong a connection? Whether it belongs to the connection's user is for the hub to compare.
    ///
    /// # Errors
    /// What is wrong with the token, as for [`Authorize::authenticate`]. Since nobody may go on with it, the hub
    /// ends the connection either way: with code 3005 for [`ErrorCode::TokenExpired`](spanwire_wire::ErrorCode), so
    /// that the client returns with a new token, else with 3500.
    fn refresh(&self, now_unix: u64, token: &str) -> Result<Credentials, Refusal>;

    /// Does this token open this channel to this user?
    ///
    /// # Errors
    /// As for [`Authorize::authenticate`], for the `subscribe` and `sub_refresh` commands.
    fn verify_subscription(
        &self,
        now_unix: u64,
        token: &str,
        channel: &Channel,
        user: &str,
    ) -> Result<Grant, Refusal>;

    /// The keys to be fetched before this token is judged, because its own is not among those that are known. It is
    /// judged after that, whatever came of it. `None`, which is usual, if it can be judged now.
    fn lacks_key_of(&self, now_unix: u64, token: &str, purpose: TokenPurpose) -> Option<&Jwks> {
        let _ = (now_unix, token, purpose);
        None
    }
}

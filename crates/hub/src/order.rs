//! What a backend may order about the sessions of a user.

use bytes::Bytes;
use spanwire_wire::{DisconnectReason, UnsubscribeCode};

use crate::Grant;
use crate::channel::{Channel, Position};
use crate::revocation::Revocation;
use crate::time::Instant;

/// What a backend may order about the sessions of a user, by the server API.
#[derive(Clone, Debug)]
pub enum Order {
    /// Close the connections of these clients.
    Disconnect {
        /// Whose.
        whom: Whom,
        /// Client ids that stay.
        spared: Vec<String>,
        /// The code and reason they are told.
        disconnect: DisconnectReason,
    },
    /// End their subscriptions to a channel, or to all if `None`.
    Unsubscribe {
        /// Whose.
        whom: Whom,
        /// Which.
        channel: Option<Channel>,
        /// The code they are told.
        code: UnsubscribeCode,
    },
    /// Subscribe their connections to a channel, and tell them by a `subscribe` push. Those that are subscribed already
    /// stay as they are; one that has as many subscriptions as it may is closed.
    Subscribe {
        /// Whose.
        whom: Whom,
        /// To what.
        channel: Channel,
        /// What comes with the subscription.
        grant: Grant,
        /// The position behind which publications follow the push, if the stream still has all of them.
        since: Option<Position>,
    },
    /// End what these tokens have opened: connections with code 3500, subscriptions with code 2000.
    Revoke(Revocation),
    /// Close, with code 3504, the connections of a user that are older than this one of it.
    Alone {
        /// Whose.
        user: String,
        /// The id of the client that stays.
        client: String,
        /// When it connected.
        since: Instant,
    },
    /// Change when their connections expire.
    Refresh {
        /// Whose.
        whom: Whom,
        /// What becomes of them.
        expiry: Expiry,
        /// What others are told of them from now on; `None` leaves that as it is.
        info: Option<Bytes>,
    },
}

/// When a connection ends unless it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It has: it is closed with code 3005.
    Now,
    /// At this time, in Unix seconds.
    At(u64),
    /// Never.
    Never,
}

/// Which sessions an [`Order`] means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// Those of this user; the empty user selects the anonymous ones, unless `client` or `session` narrows it.
    pub user: String,
    /// Only the one with this client id.
    pub client: Option<String>,
    /// Only the one with this session id, which clients have whose commands come by requests of their own
    /// ([`Reach::session`](crate::Reach::session)).
    pub session: Option<String>,
}

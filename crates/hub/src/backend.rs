//! What the backend decides: questions that only the application beside us can answer, and its answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::Encoding;

use crate::channel::Channel;
use crate::{Refusal, SessionId};

/// Names one of the ways in which the backend is asked; the world knows which that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyId(pub u16);

/// What of a channel the backend decides, and whom to ask; `None` leaves it to the namespace and to tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deciders {
    /// Who may subscribe without a token. Users that a channel's name lists need nobody else's leave.
    pub subscribe: Option<ProxyId>,
    /// Who may publish, and what.
    pub publish: Option<ProxyId>,
    /// Whether a subscription that has expired goes on. With it clients do not refresh subscriptions themselves.
    pub sub_refresh: Option<ProxyId>,
}

/// A question of one client to the backend.
#[derive(Clone, Debug)]
pub struct Petition {
    /// The session, for asking its transport about headers.
    pub session: SessionId,
    /// The client's id.
    pub client: String,
    /// What it speaks.
    pub encoding: Encoding,
    /// Its user; empty is anonymous.
    pub user: String,
    /// What the backend said of it when it connected, for the backend's eyes only; empty is nothing.
    pub meta: Bytes,
    /// What is asked.
    pub matter: Matter,
}

/// What the backend may be asked about a connected client.
#[derive(Clone, Debug)]
pub enum Matter {
    /// Its connection has expired; may it go on? The answer is [`Answer::Renewal`](crate::Answer::Renewal).
    Refresh,
    /// May it subscribe? The answer is [`Answer::Grant`](crate::Answer::Grant).
    Subscribe {
        /// Whom to ask.
        proxy: ProxyId,
        /// Where.
        channel: Channel,
        /// The data of the `subscribe` command; empty if it had none.
        data: Bytes,
    },
    /// A subscription has expired; may it go on? The answer is [`Answer::Renewal`](crate::Answer::Renewal).
    SubRefresh {
        /// Whom to ask.
        proxy: ProxyId,
        /// Where.
        channel: Channel,
    },
    /// May it publish this? The answer is [`Answer::Approval`](crate::Answer::Approval).
    Publish {
        /// Whom to ask.
        proxy: ProxyId,
        /// Where.
        channel: Channel,
        /// What.
        data: Bytes,
    },
    /// What is the result of this call? The answer is [`Answer::Rpc`](crate::Answer::Rpc).
    Rpc {
        /// The method's name; may be empty.
        method: String,
        /// Its arguments; may be empty.
        data: Bytes,
    },
}

/// What becomes of a connection or a subscription that has expired.
#[derive(Clone, Debug, PartialEq)]
pub enum Renewal {
    /// It goes on.
    Until {
        /// Unix seconds at which it expires again; `None` never.
        expire_at: Option<u64>,
        /// What others are told of it from now on; `None` leaves that as it was.
        info: Option<Bytes>,
        /// What the backend is told of it from now on; `None` leaves that as it was. Not for subscriptions.
        meta: Option<Bytes>,
    },
    /// It is over.
    Over,
    /// The backend could not say. It goes on, and is asked about again in [`RENEWAL_RETRY`].
    Unknown,
    /// The backend ends the connection, by [`Refusal::Disconnect`] or [`Refusal::Ended`]; other refusals mean
    /// [`Renewal::Unknown`].
    Refused(Refusal),
}

/// How long something goes on that has expired while the backend could not say whether it may.
pub const RENEWAL_RETRY: std::time::Duration = std::time::Duration::from_secs(60);

/// How a publication may be published.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approval {
    /// What is published instead; `None` publishes what the client sent.
    pub data: Option<Bytes>,
    /// Tags that it carries.
    pub tags: BTreeMap<String, String>,
    /// Publish past the history.
    pub skip_history: bool,
    /// It may be told by a patch of the publication before.
    pub delta: bool,
    /// A repeat with the same key is not published again; in place of the client's own key.
    pub idempotency_key: Option<Bytes>,
    /// It is not published at all, and the client is told that all is well.
    pub is_dropped: bool,
}

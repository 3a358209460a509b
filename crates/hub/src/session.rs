//! One client's life: a value that owns what it needs at each stage, and nothing else.

mod backlog;
mod heartbeat;
mod joining;
mod recovery;
mod subscriptions;

pub(crate) use backlog::Backlog;
pub(crate) use heartbeat::{Beat, Heartbeat};
pub(crate) use joining::{Joining, Purpose, Stage};
pub(crate) use recovery::{Recovered, Recovery};
pub use subscriptions::SubscriptionOptions;
pub(crate) use subscriptions::{Due, Place, Subscription, SubscriptionId, Subscriptions, Traits, Wishes};

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::Encoding;
use spanwire_wire::message::{ClientInfo, SubscribeRequest, SubscribeResult};

use crate::capabilities::Capabilities;
use crate::channel::Position;
use crate::hub::limiting::Spent;
use crate::revocation::TokenMark;
use crate::time::Instant;
use crate::{Credentials, Reach, Upstream};

/// One client, from the opening of its connection to the end of it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) encoding: Encoding,
    /// The transport pings by itself.
    pub(crate) transport_pings: bool,
    /// It only hears.
    pub(crate) unidirectional: bool,
    pub(crate) life: Life,
    /// What it is subscribed to, or about to be.
    pub(crate) subscriptions: Subscriptions,
    /// Frames that wait for an answer to something before them.
    pub(crate) backlog: Option<Box<Backlog>>,
    /// The backend is deciding about a publish; the next one waits.
    pub(crate) awaits_approval: bool,
    /// Questions on its behalf that are not answered yet.
    pub(crate) asks: u32,
    /// What it has used of its rates, while that is owed.
    pub(crate) spent: Option<Box<Spent>>,
}

/// Where a life can be.
#[derive(Debug)]
pub(crate) enum Life {
    /// Nothing said yet; closed as stale at this time.
    Fresh {
        /// When.
        stale_at: Instant,
        /// How its commands will come.
        upstream: Upstream,
    },
    /// The connect command is being answered; if that takes too long, the client is sent away to try again.
    Connecting(Box<Connecting>),
    /// The connect command was answered with an error: the client is expected to go.
    Refused {
        /// When it is closed if it does not.
        stale_at: Instant,
    },
    /// The connect command was answered.
    Connected(Client),
    /// It is over; only the connection is still to be closed.
    Closed,
}

/// A connect command on its way to its reply.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) stale_at: Instant,
    /// The id of the command.
    pub(crate) command: u32,
    /// The id that the client will have.
    pub(crate) client: uuid::ClientId,
    /// What the client wants of server-side subscriptions.
    pub(crate) wanted: BTreeMap<String, Wanted>,
    /// Channels that a unidirectional client wants to hear.
    pub(crate) asked: Vec<SubscribeRequest>,
    /// Whether the client asked for our extensions.
    pub(crate) extended: bool,
    /// What it is told for its later requests, if its commands come by them.
    pub(crate) reach: Option<Box<Reach>>,
    /// Who it is, once that is known.
    pub(crate) known: Option<Known>,
}

/// What a client wants of a server-side subscription.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// To recover from where it left off.
    pub(crate) since: Option<Position>,
    /// To take deltas.
    pub(crate) delta: bool,
}

impl Wanted {
    pub(crate) fn of(request: &SubscribeRequest, takes_deltas: bool) -> Self {
        let since = Position::wanted(request.recover, request.offset, &request.epoch);
        Self { since, delta: takes_deltas && !request.delta.is_empty() }
    }
}

/// A client that is who it says it is, while its server-side subscriptions are made.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) client: Client,
    /// Custom data for the reply.
    pub(crate) data: Bytes,
    /// When the connection expires, in seconds since 1970.
    pub(crate) expire_at: Option<u64>,
    /// The backend is asked when it does.
    pub(crate) renewed_by_backend: bool,
    /// Server-side subscriptions that are still being made.
    pub(crate) pending: usize,
    /// Those that are made, for the reply.
    pub(crate) made: BTreeMap<String, SubscribeResult>,
}

/// A connected client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The client id: a random UUID (version 4).
    pub(crate) id: uuid::ClientId,
    /// Empty is anonymous.
    pub(crate) user: Arc<str>,
    /// `conn_info`; empty is nothing.
    pub(crate) info: Bytes,
    pub(crate) heartbeat: Heartbeat,
    /// Whether it was granted our extensions.
    pub(crate) extended: bool,
    /// What only few clients have: those whose connections expire, or that the backend said more of.
    pub(crate) extra: Option<Box<ClientExtra>>,
}

/// What only few clients have.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientExtra {
    /// What it may do beyond what namespaces permit.
    pub(crate) capabilities: Capabilities,
    /// When it connected, if its user may have one connection only.
    pub(crate) connected_at: Option<Instant>,
    /// When the connection is closed because it has expired.
    pub(crate) close_at: Option<Instant>,
    /// What the backend wants to be told of the client again.
    pub(crate) meta: Bytes,
    /// When the backend is to be asked whether the connection goes on.
    pub(crate) renew_at: Option<Instant>,
    /// The secret by which requests find the session; empty if its commands come over its connection.
    pub(crate) session: Box<str>,
    /// The token that says who the client is, if one does.
    pub(crate) token: Option<TokenMark>,
}

impl Client {
    /// What others are told of this client, with the `chan_info` of one subscription.
    pub(crate) fn describe(&self, chan_info: Bytes) -> ClientInfo {
        ClientInfo {
            user: self.user.as_ref().to_owned(),
            client: self.id.to_string(),
            conn_info: self.info.clone(),
            chan_info,
        }
    }

    pub(crate) fn new(id: uuid::ClientId, credentials: &Credentials, extended: bool) -> Self {
        let mut client = Self {
            id,
            user: Arc::from(credentials.user.as_str()),
            info: credentials.info.clone(),
            heartbeat: Heartbeat::Off,
            extended,
            extra: (!credentials.meta.is_empty())
                .then(|| Box::new(ClientExtra { meta: credentials.meta.clone(), ..ClientExtra::default() })),
        };
        client.may_do(credentials.capabilities.clone());
        client.known_by(credentials.token.clone());
        client
    }

    /// What it may do beyond what namespaces permit.
    pub(crate) fn capabilities(&self) -> Option<&Capabilities> {
        self.extra.as_ref().map(|extra| &extra.capabilities)
    }

    /// Sets that.
    pub(crate) fn may_do(&mut self, capabilities: Capabilities) {
        if !capabilities.is_empty() || self.extra.is_some() {
            self.extra.get_or_insert_default().capabilities = capabilities;
        }
    }

    /// When the connection is closed because it has expired.
    pub(crate) fn close_at(&self) -> Option<Instant> {
        self.extra.as_ref()?.close_at
    }

    /// Sets that.
    pub(crate) fn closes(&mut self, at: Option<Instant>) {
        if at.is_some() || self.extra.is_some() {
            self.extra.get_or_insert_default().close_at = at;
        }
    }

    /// The token that says who the client is, if one does.
    pub(crate) fn token(&self) -> Option<&TokenMark> {
        self.extra.as_ref()?.token.as_ref()
    }

    /// It is known by this token from now on.
    pub(crate) fn known_by(&mut self, token: Option<TokenMark>) {
        if token.is_some() || self.extra.is_some() {
            self.extra.get_or_insert_default().token = token;
        }
    }

    /// The backend wants to be told this of it from now on.
    pub(crate) fn is_to_be_told(&mut self, meta: Bytes) {
        if !meta.is_empty() || self.extra.is_some() {
            self.extra.get_or_insert_default().meta = meta;
        }
    }

    fn renew_at(&self) -> Option<Instant> {
        self.extra.as_ref()?.renew_at
    }
}

impl Session {
    pub(crate) fn client(&self) -> Option<&Client> {
        match &self.life {
            Life::Connected(client) => Some(client),
            Life::Connecting(connecting) => connecting.known.as_ref().map(|known| &known.client),
            _ => None,
        }
    }

    /// The next time at which something is due of itself.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match &self.life {
            Life::Fresh { stale_at, .. } | Life::Refused { stale_at } => Some(*stale_at),
            Life::Connecting(connecting) => Some(connecting.stale_at),
            Life::Connected(client) => {
                [client.heartbeat.due(), client.close_at(), client.renew_at(), self.subscriptions.expire_at]
                    .into_iter()
                    .flatten()
                    .min()
            }
            Life::Closed => None,
        }
    }
}

/// Client ids.
pub(crate) mod uuid {
    use std::fmt;

    /// A random UUID, version 4 (RFC 9562, section 5.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct ClientId(u128);

    impl ClientId {
        /// The id made of these random bits.
        pub(crate) fn from_random(bits: u128) -> Self {
            let versioned = bits & !(0xf << 76) | (4 << 76);
            Self(versioned & !(0b11 << 62) | (0b10 << 62))
        }
    }

    impl fmt::Display for ClientId {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let id = self.0;
            let (a, b, c) = ((id >> 96) as u32, (id >> 80) as u16, (id >> 64) as u16);
            let (d, e) = ((id >> 48) as u16, id as u64 & 0xffff_ffff_ffff);
            write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
        }
    }

    #[cfg(test)]
    mod tests {
        use super::ClientId;

        #[test]
        fn an_id_says_that_it_is_a_random_uuid() {
            let table = [
                (0, "00000000-0000-4000-8000-000000000000"),
                (u128::MAX, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
                (0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, "01234567-89ab-4def-8123-456789abcdef"),
            ];
            for (bits, text) in table {
                assert_eq!(ClientId::from_random(bits).to_string(), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_at_rest_is_small() {
        assert!(size_of::<Session>() <= 176, "{} bytes", size_of::<Session>());
    }
}

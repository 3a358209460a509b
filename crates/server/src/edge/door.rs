//! The door: how many come in, and how fast, before anything is known of who they are.

use std::net::SocketAddr;
use std::time::Instant;

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use super::plain;
use super::rate::{AddressRates, Rate};
use crate::auth::ConnectionInfo;
use crate::config::Settings;
use crate::engine::stats::ShardSnapshot;
use crate::engine::{Addresses, Block, EngineHandle, Visitor};

/// Counts clients, and how often new ones come.
#[derive(Debug)]
pub(super) struct Door {
    /// Most WebSockets at a time; 0 is no limit.
    connection_limit: usize,
    rate: Rate,
    address_rates: AddressRates,
    addresses: Addresses,
}

/// Why a client is turned away at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// `client.connection_limit`.
    Full,
    /// `client.connection_rate_limit`.
    Rush,
    /// `client.ip_connection_limit`.
    AddressFull,
    /// `client.ip_connection_rate_limit`.
    AddressRush,
}

impl Door {
    pub(super) fn new(settings: &Settings) -> Self {
        let client = &settings.client;
        Self {
            connection_limit: client.connection_limit,
            rate: Rate::new(client.connection_rate_limit),
            address_rates: AddressRates::new(client.ip_connection_rate_limit),
            addresses: Addresses::new(client.ip_connection_limit),
        }
    }

    /// Counts a connection among those of its address, whatever it is for.
    pub(super) fn knock(&self, client: SocketAddr) -> Result<Visitor, TurnedAway> {
        self.addresses.enter(ConnectionInfo::new(client)).ok_or(TurnedAway::AddressFull)
    }

    /// Lets a client in that wants a session. `known` is the connection that it came by, as it was counted; that is
    /// another client's if a proxy stands between.
    pub(super) fn enter(
        &self,
        now: Instant,
        client: SocketAddr,
        known: Option<Visitor>,
        engine: &EngineHandle,
    ) -> Result<Visitor, TurnedAway> {
        if self.is_full(engine) {
            return Err(TurnedAway::Full);
        }
        if Block::of(client.ip()).is_some_and(|block| !self.address_rates.allows(now, block)) {
            return Err(TurnedAway::AddressRush);
        }
        if !self.rate.allows(now) {
            return Err(TurnedAway::Rush);
        }
        match known.filter(|known| known.info.client == client) {
            Some(known) => Ok(known),
            None => self.knock(client),
        }
    }

    /// Whether there are as many WebSockets as there may be. Two handshakes at the same moment may both take the
    /// last place; the engine's own bound on connections is a hard one.
    fn is_full(&self, engine: &EngineHandle) -> bool {
        if self.connection_limit == 0 {
            return false;
        }
        let open = |shard: &ShardSnapshot| shard.connections_opened.saturating_sub(shard.connections_closed);
        engine.stats().iter().map(open).sum::<u64>() >= self.connection_limit as u64
    }
}

impl TurnedAway {
    /// Its name in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Full => "connection_limit",
            Self::Rush => "connection_rate_limit",
            Self::AddressFull => "ip_connection_limit",
            Self::AddressRush => "ip_connection_rate_limit",
        }
    }

    /// What the client is told: whether it is itself too many (429) or all together are (503), and when to come again.
    pub(super) fn answer(self) -> Response {
        let (status, seconds, text) = match self {
            Self::Full => {
                (StatusCode::SERVICE_UNAVAILABLE, "10", "The server has as many clients as it may have.")
            }
            Self::Rush => (
                StatusCode::SERVICE_UNAVAILABLE,
                "1",
                "More clients come at this moment than the server lets in.",
            ),
            Self::AddressFull => (
                StatusCode::TOO_MANY_REQUESTS,
                "10",
                "Your address has as many connections as it may have (client.ip_connection_limit).\n\
                 If it is a reverse proxy's, the server should know that: http_server.trusted_proxies.",
            ),
            Self::AddressRush => (
                StatusCode::TOO_MANY_REQUESTS,
                "1",
                "Your address opens connections faster than it may (client.ip_connection_rate_limit).\n\
                 If it is a reverse proxy's, the server should know that: http_server.trusted_proxies.",
            ),
        };
        let mut response = plain(status, text);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        response
    }
}

//! One client on the stage: the real one, and the network that it has.

use std::collections::VecDeque;

use bytes::Bytes;
use spanwire_client_core::time::Instant;
use spanwire_client_core::{Client, ConnectionId, Event, Input, Key, TokenFor};
use spanwire_hub::SessionId;
use spanwire_hub::time::Now;

use crate::auth::ConnectionInfo;

/// A client and its network.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) client: Client,
    pub(super) info: ConnectionInfo,
    /// The connection as both sides know it, while there is one.
    pub(super) line: Option<Line>,
    pub(super) network: Network,
    /// What the application was told.
    pub(super) events: VecDeque<Event>,
    /// Frames on their way to the hub.
    pub(super) frames: VecDeque<Bytes>,
    keys: u64,
}

/// A connection. While the network is lost, either side may have given it up already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) session: SessionId,
    pub(super) connection: ConnectionId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    There,
    /// Nothing goes through, in either direction, and nobody is told.
    Lost,
}

impl Figure {
    pub(super) fn new(client: Client, info: ConnectionInfo) -> Self {
        Self {
            client,
            info,
            line: None,
            network: Network::There,
            events: VecDeque::new(),
            frames: VecDeque::new(),
            keys: 0,
        }
    }

    pub(super) fn handle(&mut self, now: Now, input: Input<'_>) {
        self.client.handle(at(now), input);
    }

    pub(super) fn has_network(&self) -> bool {
        self.network == Network::There
    }

    /// The connection is over, and the client is told so if it can be.
    pub(super) fn lose(&mut self, now: Now, connection: ConnectionId, code: u32, reason: String) {
        self.frames.clear();
        if self.has_network() {
            self.handle(now, Input::Lost { connection, code, reason });
        }
    }

    /// No token is ever fetched: what the client has is what the test gave it.
    pub(super) fn refuse_token(&mut self, now: Now, what: TokenFor) {
        self.handle(now, Input::Token(what, Err(spanwire_client_core::TokenFailure::Unauthorized)));
    }

    pub(super) fn next_key(&mut self) -> Key {
        self.keys += 1;
        Key(self.keys)
    }

    /// Takes out the first event that is looked for.
    pub(super) fn take<T>(&mut self, looked_for: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let (place, found) =
            self.events.iter().enumerate().find_map(|(place, event)| Some((place, looked_for(event)?)))?;
        self.events.remove(place);
        Some(found)
    }
}

/// The client counts time from where the stage does.
pub(super) fn at(now: Now) -> Instant {
    Instant::from_millis(now.at.as_millis())
}

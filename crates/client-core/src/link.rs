//! The connection: whether there is one, and how far it has come.

use std::time::Duration;

use spanwire_wire::extension;
use spanwire_wire::message::ConnectResult;

use crate::renewal::Renewal;
use crate::time::Instant;
use crate::{ConnectionId, Limits};

/// Where the connection is. Each place owns what it needs there, and nothing else.
#[derive(Debug)]
pub(crate) enum Link {
    /// None is wished for.
    Idle,
    /// A token was asked for.
    AskingToken { until: Instant },
    /// The shell is opening it.
    Opening { connection: ConnectionId, until: Instant },
    /// We have introduced ourselves.
    Greeting { connection: ConnectionId, until: Instant },
    /// We are in.
    Live(Live),
    /// The next try is due then.
    Waiting {
        retry_at: Instant,
        /// The server told us when.
        told: bool,
    },
}

/// A connection on which the server knows us.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) connection: ConnectionId,
    pub(crate) since: Instant,
    /// The server knows publishes by their keys.
    pub(crate) idempotent: bool,
    /// The server wants its pings answered.
    pub(crate) answers_pings: bool,
    /// How long the server may be silent; `None` if it does not ping.
    patience: Option<Duration>,
    /// When it has been silent for too long.
    silent_at: Option<Instant>,
    /// By when it must have answered whether it survived a sleep.
    probed_until: Option<Instant>,
    /// The next token.
    pub(crate) renewal: Renewal,
}

impl Live {
    pub(crate) fn new(
        now: Instant,
        connection: ConnectionId,
        result: &ConnectResult,
        limits: &Limits,
    ) -> Self {
        let interval = (result.ping != 0).then(|| Duration::from_secs(result.ping.into()));
        let patience = interval.map(|interval| interval + limits.ping_margin);
        Self {
            connection,
            since: now,
            idempotent: result.sw_ext.iter().any(|granted| granted == extension::IDEMPOTENT_PUBLISH),
            answers_pings: result.pong,
            patience,
            silent_at: patience.map(|patience| now + patience),
            probed_until: None,
            renewal: Renewal::new(now, result.expires, result.ttl),
        }
    }

    /// The server has said something.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.silent_at = self.patience.map(|patience| now + patience);
    }

    /// It was asked for a sign of life, which must be here by then. Nothing but the answer is one: what else comes may have
    /// been on its way before the sleep.
    pub(crate) fn probe(&mut self, until: Instant) {
        self.probed_until = Some(self.probed_until.map_or(until, |at| at.min(until)));
    }

    /// It gave the sign of life.
    pub(crate) fn probe_answered(&mut self) {
        self.probed_until = None;
    }

    /// When it is called dead.
    fn dead_at(&self) -> Option<Instant> {
        self.silent_at.into_iter().chain(self.probed_until).min()
    }
}

impl Link {
    /// The connection of which the shell knows.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Opening { connection, .. } | Self::Greeting { connection, .. } => Some(*connection),
            Self::Live(live) => Some(live.connection),
            Self::Idle | Self::AskingToken { .. } | Self::Waiting { .. } => None,
        }
    }

    /// When something is too late.
    pub(crate) fn times_out_at(&self) -> Option<Instant> {
        match self {
            Self::AskingToken { until } | Self::Opening { until, .. } | Self::Greeting { until, .. } => {
                Some(*until)
            }
            Self::Live(live) => live.dead_at(),
            Self::Idle | Self::Waiting { .. } => None,
        }
    }

    /// When something is to be done.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self {
            Self::Waiting { retry_at, .. } => Some(*retry_at),
            Self::Live(live) => live.renewal.due(),
            _ => None,
        }
    }
}

//! What can be in the way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest delay, in milliseconds.
pub(super) const DELAY_MS_MAX: u16 = 5_000;

/// What a line does to those who use it. Without any of it, it carries everything at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Obstacles {
    /// Whether there is an outage: whoever connects is reset at once. Connections that exist go on until they are cut.
    pub(super) down: bool,
    /// What becomes of a request to upgrade, as a WebSocket makes it.
    pub(super) upgrades: Upgrades,
    /// Whether an answer is held back until the server has ended it, as by a proxy that scans it for viruses.
    pub(super) hold_answers: bool,
    /// A connection on which nothing has moved for so long is cut, in milliseconds; 0 cuts none.
    pub(super) cut_idle_ms: u32,
    /// How long each piece is held before it is carried on, in milliseconds; 5,000 at most.
    pub(super) delay_ms: u16,
}

/// What a proxy may do with what it does not understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Upgrades {
    /// It lets it through.
    #[default]
    Pass,
    /// It answers 403.
    Refuse,
    /// It takes it, and never answers.
    Hang,
}

impl Obstacles {
    /// How long a connection may be idle.
    pub(super) fn idle(self) -> Option<Duration> {
        (self.cut_idle_ms > 0).then(|| Duration::from_millis(self.cut_idle_ms.into()))
    }

    /// How long a piece is held.
    pub(super) fn delay(self) -> Duration {
        Duration::from_millis(self.delay_ms.min(DELAY_MS_MAX).into())
    }
}

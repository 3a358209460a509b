//! What the operator says about events.

use std::time::Duration;

use spanwire_hub::glob;
use spanwire_hub::happening::Reports;

use super::kind::{Kind, Kinds};
use crate::config::Secret;
use crate::http_client::Service;

/// How the backend is told what happens, from the configuration.
#[derive(Clone, Debug)]
pub struct EventsSettings {
    /// Who is told.
    pub recipient: Recipient,
    /// What it is told, and when.
    pub telling: TellingSettings,
}

/// What is told, and when.
#[derive(Clone, Debug)]
pub struct TellingSettings {
    /// Which events.
    pub kinds: Kinds,
    /// Patterns of the channels whose events are told; none are all.
    pub channels: Vec<String>,
    /// What one request may hold.
    pub batch: BatchLimits,
    /// What may wait.
    pub queue: QueueLimits,
    /// How long events that may be taken back are held back.
    pub graces: Graces,
    /// Longest wait between two tries.
    pub retry_wait_max: Duration,
}

/// Who is told, and what makes it believe that it is us.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Where requests go.
    pub service: Service,
    /// What they are signed with.
    pub secret: Option<Secret>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What one request may hold.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Most events.
    pub events_max: usize,
    /// Most bytes, but for one event that is longer by itself.
    pub bytes_max: usize,
    /// How long the first event waits for others to go with it.
    pub interval: Duration,
}

/// What may wait for the endpoint. When there is more, the oldest are dropped, and the endpoint is told how many.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Most events.
    pub events_max: usize,
    /// Most bytes of them.
    pub bytes_max: usize,
}

/// How long an end is held back, because a new beginning may undo it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Graces {
    /// `disconnected`: until the same user is back.
    pub disconnected: Duration,
    /// `vacated`: until somebody subscribes again.
    pub vacated: Duration,
}

impl TellingSettings {
    /// What the hubs have to report for it.
    pub fn reports(&self) -> Reports {
        let any = |kinds: &[Kind]| kinds.iter().any(|kind| self.kinds.has(*kind));
        Reports {
            connections: any(&[Kind::Connected, Kind::Disconnected]),
            subscriptions: any(&[Kind::Subscribed, Kind::Unsubscribed, Kind::Occupied, Kind::Vacated]),
        }
    }

    /// Whether events of this channel are told.
    pub(super) fn tells_of(&self, channel: &str) -> bool {
        self.channels.is_empty() || self.channels.iter().any(|pattern| glob::fits(pattern, channel))
    }
}

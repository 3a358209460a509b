//! The named limits of the hub: whatever a stranger can make it keep is bounded by one of these.

use std::time::Duration;

use crate::rate::Rate;
use crate::tags_filter::FilterLimits;

/// How much one client may ask in a second. Without limits, unless somebody sets them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientRates {
    /// Commands, of any kind but pongs.
    pub commands: Rate,
    /// Bytes of these commands.
    pub bytes: Rate,
    /// Subscribe commands: the dearest ones, for they may ask for a signature to be verified, or the backend.
    pub subscribes: Rate,
}

impl ClientRates {
    pub(crate) fn limit_anything(&self) -> bool {
        [self.commands, self.bytes, self.subscribes].into_iter().any(Rate::is_limited)
    }
}

/// What one client, or one channel, may cost and how long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes a client may leave unread before we let it go with code 3008.
    ///
    /// Higher forgives slow phones; but it is what one client can cost, so the worst case of the machine is this
    /// times the number of connections, and for each hub [`Self::parked_bytes_total_max`] for all who lag together. A client let go may return and recover by position. Replies keep to it as well:
    /// a page of history ends before it, a recovery that exceeds it is `recovered: false`, and a presence that
    /// exceeds it is error 106.
    pub outbox_bytes_max: usize,
    /// Most channels a client may be subscribed to, server-side subscriptions included (error 106).
    pub channels_per_client_max: usize,
    /// Longest channel name, in bytes (error 107).
    pub channel_name_bytes_max: usize,
    /// Most bytes in one command, and most commands in one frame (code 3501).
    pub commands: spanwire_wire::Limits,
    /// Most bytes of commands that may wait behind an unanswered connect or subscribe. The transport stops reading
    /// as soon as anything waits, so this is only exceeded by what one read brought; beyond it: code 3013.
    pub backlog_bytes_max: usize,
    /// How many clients a second a hub that drains has come back elsewhere, of those who understand when they are told to;
    /// 0 tells nobody, and all come at once.
    pub drain_returns_per_second: u32,
    /// How often one client may ask (error 111, and code 3013 for the obstinate).
    pub rates: ClientRates,
    /// Most requests of one client that may be unanswered at once; the next ones wait.
    pub asks_per_client_max: usize,
    /// Most publications that are kept for a subscriber whose subscribe is unanswered, and most bytes of them are what
    /// an outbox takes; beyond it: "insufficient state" (code 2500 or 3010).
    pub joining_publications_max: usize,
    /// Most publications a client's `history` call returns.
    pub history_publications_max: usize,
    /// What one filter by tags may cost (error 107).
    pub filter: FilterLimits,
    /// Most publications that a recovery may need; a client further behind is told `recovered: false`. Of a last value with
    /// a filter, so many of the newest are looked at.
    pub recovery_publications_max: usize,
    /// How long a connection may take to a successful connect command before code 3502, or 3004 if it is us who take
    /// so long to answer.
    pub stale_close_delay: Duration,
    /// How often clients are pinged; zero never pings.
    pub ping_interval: Duration,
    /// How long a client may take to answer a ping before code 3012; zero does not ask for answers.
    pub pong_timeout: Duration,
    /// How long a connection may live beyond the expiry of its token before code 3005.
    pub expired_close_delay: Duration,
    /// How long a subscription may live beyond its expiry before it is ended with code 2501 or 3006.
    pub expired_sub_close_delay: Duration,
}

impl Limits {
    /// From so many unread bytes on a client lags: what comes in channels that may leave something out is parked. It is
    /// well above what a client that reads as fast as it can has unread by the engine's batching alone.
    pub(crate) fn high_water(&self) -> usize {
        self.outbox_bytes_max / 4
    }

    /// With no more unread bytes than that, a client that lags is given what is parked for it.
    pub(crate) fn low_water(&self) -> usize {
        self.outbox_bytes_max / 16
    }

    /// Most bytes that are parked of one channel: so many that an outbox has room for all of it when it has drained.
    pub(crate) fn parked_bytes_max(&self) -> usize {
        self.outbox_bytes_max - self.high_water()
    }

    /// Most bytes that are parked of all channels of a hub together, beyond one publication of each: as much as the
    /// outboxes of 32 clients. One stranger may lag in many channels, and this is what all of them may cost. When there is
    /// no room for another channel, whoever would be the first to lag there is let go with code 3008; channels in which
    /// somebody lags already keep less.
    pub fn parked_bytes_total_max(&self) -> usize {
        32 * self.outbox_bytes_max
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            outbox_bytes_max: 1 << 20,
            channels_per_client_max: 128,
            channel_name_bytes_max: 255,
            commands: spanwire_wire::Limits::COMMANDS,
            backlog_bytes_max: 256 << 10,
            drain_returns_per_second: 1_000,
            rates: ClientRates::default(),
            asks_per_client_max: 256,
            joining_publications_max: 1024,
            history_publications_max: 300,
            filter: FilterLimits::default(),
            recovery_publications_max: 300,
            stale_close_delay: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(8),
            expired_close_delay: Duration::from_secs(25),
            expired_sub_close_delay: Duration::from_secs(25),
        }
    }
}

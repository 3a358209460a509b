//! What shards count. Each shard writes its own counters and nobody else's; whoever wants to know reads them.

mod counter;
mod histogram;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Transport;

pub(super) use counter::Counter;
pub(super) use histogram::Histogram;
pub use histogram::{BOUNDS_MICROS, HistogramSnapshot};

/// The counters of one shard.
///
/// Kept apart from other shards' by alignment, so that counting never makes two cores wait for each other.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct ShardStats {
    pub(super) connections_opened: Counter,
    pub(super) connections_closed: Counter,
    /// Sessions by what carries them, in the order of [`Transport::ALL`].
    pub(super) opened: [Counter; Transport::ALL.len()],
    pub(super) closed: [Counter; Transport::ALL.len()],
    pub(super) messages_in: Counter,
    pub(super) messages_out: Counter,
    pub(super) bytes_in: Counter,
    pub(super) bytes_out: Counter,
    pub(super) bytes_saved: Counter,
    pub(super) compressions: Counter,
    pub(super) contexts_opened: Counter,
    pub(super) contexts_closed: Counter,
    pub(super) publications: Counter,
    pub(super) outbox_overflows: Counter,
    pub(super) turns: Counter,
    pub(super) writes: Counter,
    pub(super) publications_dropped: Counter,
    pub(super) accept_errors: Counter,
    pub(super) connections_refused: Counter,
    pub(super) publish_to_write: Histogram,
    pub(super) disconnects: Tally<u16>,
    pub(super) peer_errors: Tally<&'static str>,
    pub(super) denials: Tally<&'static str>,
    pub(super) revoked_refused: Tally<&'static str>,
    pub(super) revoked_connections: Counter,
    pub(super) revoked_subscriptions: Counter,
    pub(super) expired: Tally<&'static str>,
    pub(super) expiring: Tally<(&'static str, &'static str)>,
    pub(super) refreshed: Tally<(&'static str, &'static str)>,
    pub(super) limited: Tally<&'static str>,
    pub(super) publications_skipped: Tally<(String, &'static str)>,
    pub(super) delta_whole_bytes: Counter,
    pub(super) delta_patch_bytes: Counter,
    pub(super) delta_saved_bytes: Counter,
}

/// Counts of things that have names, none of them on the way of a publication.
#[derive(Debug)]
pub(super) struct Tally<K>(Mutex<BTreeMap<K, u64>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Tally<K> {
    pub(super) fn count(&self, key: K) {
        self.add(key, 1);
    }

    pub(super) fn add(&self, key: K, count: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += count;
    }

    /// For what goes up and down.
    pub(super) fn set(&self, key: K, count: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, count);
    }

    fn read(&self) -> BTreeMap<K, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a shard has counted since the engine started. All but `expiring` and the `mailbox_` fields only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardSnapshot {
    /// Which shard.
    pub shard: usize,
    /// WebSockets adopted, and sessions of other transports; those still open are these less `connections_closed`.
    pub connections_opened: u64,
    /// Those of them that have ended.
    pub connections_closed: u64,
    /// Sessions opened, by what carries them, in the order of [`Transport::ALL`].
    pub sessions_opened: [u64; Transport::ALL.len()],
    /// Sessions that have ended, in the same order.
    pub sessions_closed: [u64; Transport::ALL.len()],
    /// Messages received whole: of WebSockets, or frames of commands on other transports.
    pub messages_in: u64,
    /// Messages written whole.
    pub messages_out: u64,
    /// Bytes received: of WebSockets with their framing, else of commands.
    pub bytes_in: u64,
    /// Bytes written: on WebSockets with their framing, else of replies.
    pub bytes_out: u64,
    /// Bytes that compression has kept off WebSocket connections.
    pub bytes_saved: u64,
    /// How often a message was compressed, however many it was written to.
    pub compressions: u64,
    /// WebSocket connections adopted that take context over.
    pub contexts_opened: u64,
    /// Those of them that have ended.
    pub contexts_closed: u64,
    /// Publications that came to this shard for its subscribers, each counted once however many there are.
    pub publications: u64,
    /// Sessions that ended because their outbox was full (code 3008).
    pub outbox_overflows: u64,
    /// Turns taken.
    pub turns: u64,
    /// Writes to WebSockets (system calls), and parcels handed over for other transports.
    pub writes: u64,
    /// Publications for this shard that were dropped because its mailbox was full. Subscribers with positions
    /// notice, and recover.
    pub publications_dropped: u64,
    /// Failures to accept a connection, as for want of descriptors.
    pub accept_errors: u64,
    /// Connections closed right after they were accepted, because the most there may be were there.
    pub connections_refused: u64,
    /// From the turn in which the broker published to the end of the turn in which a shard first wrote it out,
    /// one sample for each publication and shard. A fan-out that takes several turns counts with its first.
    pub publish_to_write: HistogramSnapshot,
    /// How many connections ended with which code: those of the Centrifuge protocol (3000 is a connection that went
    /// away by itself) and those of RFC 6455 where the peer broke that.
    pub disconnects: BTreeMap<u16, u64>,
    /// How many connections broke RFC 6455, by the sin's [reason](spanwire_ws::PeerError::reason).
    pub peer_errors: BTreeMap<&'static str, u64>,
    /// How many commands were denied, by the [reason](spanwire_hub::Why::name).
    pub denials: BTreeMap<&'static str, u64>,
    /// How often somebody was refused by a revocation, by what was revoked.
    pub revoked_refused: BTreeMap<&'static str, u64>,
    /// Connections that a revocation has closed.
    pub revoked_connections: u64,
    /// Subscriptions that a revocation has ended, besides those that ended with their connections.
    pub revoked_subscriptions: u64,
    /// How many connections and subscriptions were ended because they had expired, by [which](spanwire_hub::Expirable).
    pub expired: BTreeMap<&'static str, u64>,
    /// How many connections and subscriptions have expired and go on by their delay (`overdue`), or will expire within a
    /// minute (`soon`), by [which](spanwire_hub::Expirable); when somebody last asked the shard how much there is.
    pub expiring: BTreeMap<(&'static str, &'static str), u64>,
    /// How many tokens clients have shown to prolong a connection or a subscription, by
    /// [which](spanwire_hub::Expirable), and by [what came of it](spanwire_hub::Refreshed).
    pub refreshed: BTreeMap<(&'static str, &'static str), u64>,
    /// How many commands were refused because they came too fast, by the option that says so.
    pub limited: BTreeMap<&'static str, u64>,
    /// How many publications were left out for clients that lag, by namespace and by the name of its
    /// [delivery profile](spanwire_hub::namespace::DeliveryProfile); this and the next three when somebody last asked the
    /// shard how much there is.
    pub publications_skipped: BTreeMap<(String, &'static str), u64>,
    /// Bytes of the payloads that subscribers were told whole who take deltas.
    pub delta_whole_bytes: u64,
    /// Bytes of the patches that they were told instead.
    pub delta_patch_bytes: u64,
    /// Bytes by which those payloads were longer than their patches.
    pub delta_saved_bytes: u64,
    /// Letters that wait in the shard's mailbox now.
    pub mailbox_letters: u64,
    /// About how many bytes they hold.
    pub mailbox_bytes: u64,
}

impl ShardStats {
    pub(super) fn snapshot(&self) -> ShardSnapshot {
        ShardSnapshot {
            shard: 0,
            connections_opened: self.connections_opened.read(),
            connections_closed: self.connections_closed.read(),
            sessions_opened: self.opened.each_ref().map(Counter::read),
            sessions_closed: self.closed.each_ref().map(Counter::read),
            messages_in: self.messages_in.read(),
            messages_out: self.messages_out.read(),
            bytes_in: self.bytes_in.read(),
            bytes_out: self.bytes_out.read(),
            bytes_saved: self.bytes_saved.read(),
            compressions: self.compressions.read(),
            contexts_opened: self.contexts_opened.read(),
            contexts_closed: self.contexts_closed.read(),
            publications: self.publications.read(),
            outbox_overflows: self.outbox_overflows.read(),
            turns: self.turns.read(),
            writes: self.writes.read(),
            publications_dropped: self.publications_dropped.read(),
            accept_errors: self.accept_errors.read(),
            connections_refused: self.connections_refused.read(),
            publish_to_write: self.publish_to_write.snapshot(),
            disconnects: self.disconnects.read(),
            peer_errors: self.peer_errors.read(),
            denials: self.denials.read(),
            revoked_refused: self.revoked_refused.read(),
            revoked_connections: self.revoked_connections.read(),
            revoked_subscriptions: self.revoked_subscriptions.read(),
            expired: self.expired.read(),
            expiring: self.expiring.read(),
            refreshed: self.refreshed.read(),
            limited: self.limited.read(),
            publications_skipped: self.publications_skipped.read(),
            delta_whole_bytes: self.delta_whole_bytes.read(),
            delta_patch_bytes: self.delta_patch_bytes.read(),
            delta_saved_bytes: self.delta_saved_bytes.read(),
            mailbox_letters: 0,
            mailbox_bytes: 0,
        }
    }
}

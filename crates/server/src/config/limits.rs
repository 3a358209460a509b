//! What one client may keep us busy with.

use std::time::Duration;

use spanwire_hub::limits::Limits;

use super::rates;
use super::reader::Reader;
use super::settings::{HOUR, SECOND};
use crate::engine::limits::READ_BYTES;

/// Reads the limits of sessions whose transport lets messages of this many bytes through.
pub(super) fn read(reader: &mut Reader<'_>, message_size_limit: usize) -> Limits {
    let limits = fitting(options(reader), message_size_limit);
    let rates = rates::of_clients(reader, limits.channels_per_client_max);
    Limits { rates, ..limits }
}

fn options(reader: &mut Reader<'_>) -> Limits {
    let default = Limits::default();
    let any = Duration::ZERO..=HOUR;
    let needed = SECOND..=HOUR;
    Limits {
        outbox_bytes_max: reader.count(
            "client.queue_max_size",
            "how many bytes a client may leave unread",
            default.outbox_bytes_max,
            1024..=1 << 30,
        ),
        channels_per_client_max: reader.count(
            "client.channel_limit",
            "how many channels a client may be subscribed to",
            default.channels_per_client_max,
            1..=100_000,
        ),
        channel_name_bytes_max: reader.count(
            "channel.max_length",
            "how many bytes a channel's name may have",
            default.channel_name_bytes_max,
            1..=4096,
        ),
        history_publications_max: reader.count(
            "client.history_max_publication_limit",
            "how many publications a client gets of a history at once",
            default.history_publications_max,
            1..=100_000,
        ),
        recovery_publications_max: reader.count(
            "client.recovery_max_publication_limit",
            "how many missed publications a client can recover",
            default.recovery_publications_max,
            1..=100_000,
        ),
        // The range fits, so that the cast loses nothing.
        drain_returns_per_second: reader.count(
            "shutdown.return_rate",
            "how many clients a second each shard that drains has come back elsewhere, of those who understand when they are \
             told to; 0 tells nobody, and all come at once",
            default.drain_returns_per_second as usize,
            0..=1_000_000,
        ) as u32,
        stale_close_delay: reader.duration(
            "client.stale_close_delay",
            "how long a connection may take to its connect command",
            default.stale_close_delay,
            needed.clone(),
        ),
        ping_interval: reader.duration(
            "client.ping_interval",
            "how often clients are pinged; 0s is never",
            default.ping_interval,
            any.clone(),
        ),
        pong_timeout: reader.duration(
            "client.pong_timeout",
            "how long a client may take to answer a ping; 0s is forever",
            default.pong_timeout,
            any.clone(),
        ),
        expired_close_delay: reader.duration(
            "client.expired_close_delay",
            "how long a connection may outlive its token",
            default.expired_close_delay,
            any.clone(),
        ),
        expired_sub_close_delay: reader.duration(
            "client.expired_sub_close_delay",
            "how long a subscription may outlive its token",
            default.expired_sub_close_delay,
            any,
        ),
        ..default
    }
}

/// Makes room in the hub for what the transport lets through: a message that is not too long for the one must not
/// be so for the other.
fn fitting(limits: Limits, message_size_limit: usize) -> Limits {
    let commands = spanwire_wire::Limits {
        message_bytes_max: message_size_limit,
        // The connect command and the subscriptions of all channels may come in one frame.
        messages_per_frame_max: limits
            .commands
            .messages_per_frame_max
            .max(limits.channels_per_client_max + 1),
    };
    let backlog_bytes_max = limits.backlog_bytes_max.max(message_size_limit + READ_BYTES);
    Limits { commands, backlog_bytes_max, ..limits }
}

//! Which events the backend is told, and what that may cost.

use std::time::Duration;

use super::reader::Reader;
use super::service;
use crate::events::{
    BatchLimits, EventsSettings, Graces, Kind, Kinds, QueueLimits, Recipient, TellingSettings,
};

/// Most events in one request.
const BATCH_EVENTS_MAX: usize = 10_000;
/// Most bytes of one request.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Most events that may wait.
const QUEUE_EVENTS_MAX: usize = 10_000_000;
/// Most bytes that may wait.
const QUEUE_BYTES_MAX: usize = 4 << 30;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Reads what stands below `events`; `None` if there is no endpoint.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<EventsSettings> {
    let recipient = recipient(reader);
    let telling = TellingSettings {
        kinds: kinds(reader),
        channels: reader.texts("channels", "patterns of the channels that events are told of; none is all"),
        batch: reader.table("batch", batch),
        queue: QueueLimits {
            events_max: reader.count(
                "max_queued",
                "how many events may wait for the backend; then the oldest are dropped, and it is told how many",
                100_000,
                1..=QUEUE_EVENTS_MAX,
            ),
            bytes_max: reader.count(
                "max_queued_bytes",
                "how many bytes of events may wait",
                64 << 20,
                1024..=QUEUE_BYTES_MAX,
            ),
        },
        graces: Graces {
            disconnected: reader.duration(
                "disconnected_grace",
                "how long a user may take to come back before disconnected is told",
                Duration::ZERO,
                Duration::ZERO..=10 * MINUTE,
            ),
            vacated: reader.duration(
                "vacated_grace",
                "how long a channel may be without subscribers before vacated is told",
                Duration::ZERO,
                Duration::ZERO..=10 * MINUTE,
            ),
        },
        retry_wait_max: reader.duration(
            "max_retry_wait",
            "how long it may take until the backend is tried again",
            20 * SECOND,
            Duration::from_millis(100)..=10 * MINUTE,
        ),
    };
    Some(EventsSettings { recipient: recipient?, telling })
}

fn recipient(reader: &mut Reader<'_>) -> Option<Recipient> {
    let service = service::read(reader);
    Some(Recipient {
        secret: reader
            .secret("secret", "what requests are signed with, so that the backend knows whose they are"),
        timeout: reader.duration(
            "timeout",
            "how long an answer may take",
            5 * SECOND,
            Duration::from_millis(10)..=MINUTE,
        ),
        // Last, so that every option is known though nobody is told.
        service: service?,
    })
}

fn kinds(reader: &mut Reader<'_>) -> Kinds {
    let names: Vec<_> = Kind::CHOSEN.iter().map(|kind| kind.name()).collect();
    let wanted = format!("a list of some of {}", names.join(", "));
    let chosen = reader.list("types", "which events are told; none is all", &wanted, Kind::chosen);
    Kinds::of(if chosen.is_empty() { Kind::CHOSEN } else { &chosen })
}

fn batch(reader: &mut Reader<'_>) -> BatchLimits {
    BatchLimits {
        events_max: reader.count(
            "max_events",
            "how many events go into one request",
            200,
            1..=BATCH_EVENTS_MAX,
        ),
        bytes_max: reader.count(
            "max_bytes",
            "how many bytes of events go into one request",
            256 << 10,
            1024..=BATCH_BYTES_MAX,
        ),
        interval: reader.duration(
            "interval",
            "how long an event waits for others to go with it",
            Duration::from_millis(100),
            Duration::ZERO..=MINUTE,
        ),
    }
}

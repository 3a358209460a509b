//! What shards carry, how fast, and what they refuse.

use super::shards::{merged, sum};
use super::text::{Kind, Text};
use crate::engine::stats::{BOUNDS_MICROS, ShardSnapshot};

pub(super) fn traffic(text: &mut Text, shards: &[ShardSnapshot]) {
    text.counter(
        "spanwire_messages_received_total",
        "Messages received: of WebSockets, or frames of commands on other transports.",
        sum(shards, |s| s.messages_in),
    );
    text.counter("spanwire_messages_sent_total", "Messages written.", sum(shards, |s| s.messages_out));
    text.counter(
        "spanwire_received_bytes_total",
        "Bytes received: of WebSockets with their framing, else of commands.",
        sum(shards, |s| s.bytes_in),
    );
    text.counter(
        "spanwire_sent_bytes_total",
        "Bytes written: on WebSockets with their framing, else of replies.",
        sum(shards, |s| s.bytes_out),
    );
    text.counter(
        "spanwire_publications_total",
        "Publications that came to shards with subscribers, once per shard.",
        sum(shards, |s| s.publications),
    );
    text.counter(
        "spanwire_writes_total",
        "Writes to WebSockets, and parcels for other transports.",
        sum(shards, |s| s.writes),
    );
    text.counter(
        "spanwire_compressions_total",
        "Messages compressed for WebSocket connections, each counted once for all that have the same window.",
        sum(shards, |s| s.compressions),
    );
    text.counter(
        "spanwire_compression_saved_bytes_total",
        "Bytes that compression has kept off WebSocket connections.",
        sum(shards, |s| s.bytes_saved),
    );
    text.family(
        "spanwire_delta_bytes_total",
        Kind::Counter,
        "Bytes of payloads to subscribers who take deltas: told whole, or by a patch.",
    );
    text.labelled(&[("kind", &"whole")], sum(shards, |s| s.delta_whole_bytes));
    text.labelled(&[("kind", &"patch")], sum(shards, |s| s.delta_patch_bytes));
    text.counter(
        "spanwire_delta_saved_bytes_total",
        "Bytes by which payloads were longer than the patches told instead.",
        sum(shards, |s| s.delta_saved_bytes),
    );
    let (opened, closed) = (sum(shards, |s| s.contexts_opened), sum(shards, |s| s.contexts_closed));
    text.gauge(
        "spanwire_compression_contexts",
        "Open WebSocket connections that keep a window between messages.",
        opened.saturating_sub(closed),
    );
    text.counter("spanwire_turns_total", "Turns that shards have taken.", sum(shards, |s| s.turns));
}

pub(super) fn latency(text: &mut Text, shards: &[ShardSnapshot]) {
    text.family(
        "spanwire_publish_to_write_seconds",
        Kind::Histogram,
        "From the broker's publish to a shard's first write of it, once per publication and shard.",
    );
    let mut count = 0;
    for (index, bound) in BOUNDS_MICROS.iter().enumerate() {
        count += sum(shards, |s| s.publish_to_write.buckets[index]);
        text.sample("_bucket", &[("le", &seconds(*bound))], count);
    }
    count += sum(shards, |s| s.publish_to_write.buckets[BOUNDS_MICROS.len()]);
    text.sample("_bucket", &[("le", &"+Inf")], count);
    text.sample("_sum", &[], seconds(sum(shards, |s| s.publish_to_write.sum_micros)));
    text.sample("_count", &[], count);
}

pub(super) fn pressure(text: &mut Text, shards: &[ShardSnapshot]) {
    text.counter(
        "spanwire_outbox_overflows_total",
        "Sessions that ended because they did not read what they were sent.",
        sum(shards, |s| s.outbox_overflows),
    );
    text.counter(
        "spanwire_publications_dropped_total",
        "Publications that a shard had no room for; its subscribers recover them.",
        sum(shards, |s| s.publications_dropped),
    );
    text.family(
        "spanwire_publications_skipped_total",
        Kind::Counter,
        "Publications that subscribers who read slowly were not sent, by the namespace's name and delivery profile.",
    );
    for ((namespace, delivery), count) in merged(shards, |s| &s.publications_skipped) {
        text.labelled(&[("namespace", &namespace), ("delivery", &delivery)], count);
    }
    text.family("spanwire_mailbox_letters", Kind::Gauge, "Letters that wait for a shard.");
    for shard in shards {
        text.labelled(&[("shard", &shard.shard)], shard.mailbox_letters);
    }
    text.family("spanwire_mailbox_bytes", Kind::Gauge, "About how many bytes they hold.");
    for shard in shards {
        text.labelled(&[("shard", &shard.shard)], shard.mailbox_bytes);
    }
}

pub(super) fn refusals(text: &mut Text, shards: &[ShardSnapshot]) {
    text.counters("spanwire_denials_total",
        "Commands about channels that were denied, by reason; the log says which option or claim was missing.",
        "reason",
        merged(shards, |s| &s.denials),
    );
    text.counters("spanwire_rate_limited_total",
        "Commands refused because they, or bad tokens of their address, came too fast (error 111, or code 3013 for the obstinate), by the limit.",
        "limit",
        merged(shards, |s| &s.limited),
    );
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

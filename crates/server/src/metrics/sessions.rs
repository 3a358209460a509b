//! Who is here, and how they come and go.

use spanwire_hub::Census;

use super::EdgeCounters;
use super::shards::{merged, sum};
use super::text::{Kind, Text};
use crate::engine::Transport;
use crate::engine::stats::ShardSnapshot;

pub(super) fn people(text: &mut Text, census: Census) {
    text.gauge("spanwire_sessions", "Open sessions, whether they have connected or not.", census.sessions);
    text.gauge("spanwire_clients", "Sessions that have connected.", census.clients);
    text.gauge("spanwire_subscriptions", "Subscriptions of all sessions.", census.subscriptions);
    text.gauge("spanwire_channels", "Channels with subscribers, counted once per shard.", census.channels);
}

pub(super) fn connections(text: &mut Text, shards: &[ShardSnapshot], edge: &EdgeCounters) {
    let (opened, closed) = (sum(shards, |s| s.connections_opened), sum(shards, |s| s.connections_closed));
    text.gauge(
        "spanwire_connections",
        "Open WebSockets, and sessions on other transports.",
        opened.saturating_sub(closed),
    );
    by_transport(
        text,
        "spanwire_transport_sessions",
        Kind::Gauge,
        "Open sessions, by what carries them.",
        |transport| {
            let opened = sum(shards, |s| s.sessions_opened[transport as usize]);
            opened.saturating_sub(sum(shards, |s| s.sessions_closed[transport as usize]))
        },
    );
    by_transport(
        text,
        "spanwire_transport_sessions_opened_total",
        Kind::Counter,
        "Sessions that were opened, by what carries them.",
        |transport| sum(shards, |s| s.sessions_opened[transport as usize]),
    );
    text.counter(
        "spanwire_connections_opened_total",
        "WebSockets, and sessions on other transports, that were opened.",
        opened,
    );
    text.counter(
        "spanwire_connections_refused_total",
        "Connections closed unread because the limit was reached.",
        sum(shards, |s| s.connections_refused),
    );
    text.counter(
        "spanwire_accept_errors_total",
        "Failures to accept a connection, as for want of descriptors.",
        sum(shards, |s| s.accept_errors),
    );
    text.counter("spanwire_handshakes_total", "WebSocket handshakes that succeeded.", edge.upgrades());
    text.counters(
        "spanwire_handshake_failures_total",
        "WebSocket handshakes that were refused, by reason.",
        "reason",
        edge.refusals(),
    );
    text.counters(
        "spanwire_disconnects_total",
        "Those that ended, by code; 3000 is one that went away by itself.",
        "code",
        merged(shards, |s| &s.disconnects),
    );
    text.counters(
        "spanwire_peer_errors_total",
        "WebSocket connections that broke RFC 6455 or TLS, by how.",
        "reason",
        merged(shards, |s| &s.peer_errors),
    );
}

fn by_transport(
    text: &mut Text,
    name: &'static str,
    kind: Kind,
    help: &str,
    count: impl Fn(Transport) -> u64,
) {
    text.family(name, kind, help);
    for transport in Transport::ALL {
        text.labelled(&[("transport", &transport.name())], count(transport));
    }
}

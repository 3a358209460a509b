//! Every metric there is: its name, its sentence, and where its number comes from.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use spanwire_hub::Census;

use super::EdgeCounters;
use super::text::{Kind, Text};
use super::tokens::{TokenSnapshot, tokens};
use crate::backend::ProxySnapshot;
use crate::engine::Transport;
use crate::engine::stats::{BOUNDS_MICROS, ShardSnapshot};
use crate::events::EventsSnapshot;
use crate::log;

/// The answer to a scrape.
pub fn render(
    shards: &[ShardSnapshot],
    census: Census,
    edge: &EdgeCounters,
    proxies: &[ProxySnapshot],
    of_tokens: &TokenSnapshot,
    events: Option<&EventsSnapshot>,
) -> String {
    let mut text = Text::default();
    process(&mut text, edge);
    people(&mut text, census);
    connections(&mut text, shards, edge);
    traffic(&mut text, shards);
    latency(&mut text, shards);
    pressure(&mut text, shards);
    refusals(&mut text, shards);
    http(&mut text, edge);
    http2(&mut text, edge);
    tls(&mut text, edge);
    super::proxies::proxies(&mut text, proxies);
    tokens(&mut text, shards, of_tokens);
    super::events::events(&mut text, events, unix_ms());
    text.into_string()
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn process(text: &mut Text, edge: &EdgeCounters) {
    text.family("spanwire_build_info", Kind::Gauge, "The version that is running.")
        .labelled(&[("version", &env!("CARGO_PKG_VERSION"))], 1);
    text.family(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process started, in seconds since 1970.",
    )
    .value(edge.started_unix());
    text.family(
        "spanwire_configuration_time_seconds",
        Kind::Gauge,
        "When the configuration was read that holds, in seconds since 1970.",
    )
    .value(edge.configured_unix());
    labelled(
        text,
        "spanwire_configuration_reads_total",
        "How often the configuration was read again at SIGHUP, and whether it was applied or refused.",
        "outcome",
        edge.configuration_reads(),
    );
    counter(
        text,
        "spanwire_log_lines_dropped_total",
        "Lines left out of the log, because who reads it did not keep up.",
        log::lines_dropped(),
    );
}

fn people(text: &mut Text, census: Census) {
    text.family("spanwire_sessions", Kind::Gauge, "Open sessions, whether they have connected or not.")
        .value(census.sessions);
    text.family("spanwire_clients", Kind::Gauge, "Sessions that have connected.").value(census.clients);
    text.family("spanwire_subscriptions", Kind::Gauge, "Subscriptions of all sessions.")
        .value(census.subscriptions);
    text.family("spanwire_channels", Kind::Gauge, "Channels with subscribers, counted once per shard.")
        .value(census.channels);
}

fn connections(text: &mut Text, shards: &[ShardSnapshot], edge: &EdgeCounters) {
    let (opened, closed) = (sum(shards, |s| s.connections_opened), sum(shards, |s| s.connections_closed));
    text.family("spanwire_connections", Kind::Gauge, "Open WebSockets, and sessions on other transports.")
        .value(opened.saturating_sub(closed));
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
    counter(
        text,
        "spanwire_connections_opened_total",
        "WebSockets, and sessions on other transports, that were opened.",
        opened,
    );
    counter(
        text,
        "spanwire_connections_refused_total",
        "Connections closed unread because the limit was reached.",
        sum(shards, |s| s.connections_refused),
    );
    counter(
        text,
        "spanwire_accept_errors_total",
        "Failures to accept a connection, as for want of descriptors.",
        sum(shards, |s| s.accept_errors),
    );
    counter(text, "spanwire_handshakes_total", "WebSocket handshakes that succeeded.", edge.upgrades());
    labelled(
        text,
        "spanwire_handshake_failures_total",
        "WebSocket handshakes that were refused, by reason.",
        "reason",
        edge.refusals(),
    );
    labelled(
        text,
        "spanwire_disconnects_total",
        "Those that ended, by code; 3000 is one that went away by itself.",
        "code",
        merged(shards, |s| &s.disconnects),
    );
    labelled(
        text,
        "spanwire_peer_errors_total",
        "WebSocket connections that broke RFC 6455 or TLS, by how.",
        "reason",
        merged(shards, |s| &s.peer_errors),
    );
}

fn traffic(text: &mut Text, shards: &[ShardSnapshot]) {
    counter(
        text,
        "spanwire_messages_received_total",
        "Messages received: of WebSockets, or frames of commands on other transports.",
        sum(shards, |s| s.messages_in),
    );
    counter(text, "spanwire_messages_sent_total", "Messages written.", sum(shards, |s| s.messages_out));
    counter(
        text,
        "spanwire_received_bytes_total",
        "Bytes received: of WebSockets with their framing, else of commands.",
        sum(shards, |s| s.bytes_in),
    );
    counter(
        text,
        "spanwire_sent_bytes_total",
        "Bytes written: on WebSockets with their framing, else of replies.",
        sum(shards, |s| s.bytes_out),
    );
    counter(
        text,
        "spanwire_publications_total",
        "Publications that came to shards with subscribers, once per shard.",
        sum(shards, |s| s.publications),
    );
    counter(
        text,
        "spanwire_writes_total",
        "Writes to WebSockets, and parcels for other transports.",
        sum(shards, |s| s.writes),
    );
    counter(
        text,
        "spanwire_compressions_total",
        "Messages compressed for WebSocket connections, each counted once for all that have the same window.",
        sum(shards, |s| s.compressions),
    );
    counter(
        text,
        "spanwire_compression_saved_bytes_total",
        "Bytes that compression has kept off WebSocket connections.",
        sum(shards, |s| s.bytes_saved),
    );
    let (opened, closed) = (sum(shards, |s| s.contexts_opened), sum(shards, |s| s.contexts_closed));
    text.family(
        "spanwire_compression_contexts",
        Kind::Gauge,
        "Open WebSocket connections that keep a window between messages.",
    )
    .value(opened.saturating_sub(closed));
    counter(text, "spanwire_turns_total", "Turns that shards have taken.", sum(shards, |s| s.turns));
}

fn latency(text: &mut Text, shards: &[ShardSnapshot]) {
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

fn pressure(text: &mut Text, shards: &[ShardSnapshot]) {
    counter(
        text,
        "spanwire_outbox_overflows_total",
        "Sessions that ended because they did not read what they were sent.",
        sum(shards, |s| s.outbox_overflows),
    );
    counter(
        text,
        "spanwire_publications_dropped_total",
        "Publications that a shard had no room for; its subscribers recover them.",
        sum(shards, |s| s.publications_dropped),
    );
    text.family("spanwire_mailbox_letters", Kind::Gauge, "Letters that wait for a shard.");
    for shard in shards {
        text.labelled(&[("shard", &shard.shard)], shard.mailbox_letters);
    }
    text.family("spanwire_mailbox_bytes", Kind::Gauge, "About how many bytes they hold.");
    for shard in shards {
        text.labelled(&[("shard", &shard.shard)], shard.mailbox_bytes);
    }
}

fn refusals(text: &mut Text, shards: &[ShardSnapshot]) {
    labelled(
        text,
        "spanwire_denials_total",
        "Commands about channels that were denied, by reason; the log says which option or claim was missing.",
        "reason",
        merged(shards, |s| &s.denials),
    );
    labelled(
        text,
        "spanwire_rate_limited_total",
        "Commands refused because they, or bad tokens of their address, came too fast (error 111, or code 3013 for the obstinate), by the limit.",
        "limit",
        merged(shards, |s| &s.limited),
    );
}

fn http(text: &mut Text, edge: &EdgeCounters) {
    text.family(
        "spanwire_http_requests_total",
        Kind::Counter,
        "Requests answered that were no WebSocket handshakes, by what for and status.",
    );
    for ((route, status), count) in edge.requests() {
        text.labelled(&[("route", &route), ("status", &status)], count);
    }
    labelled(
        text,
        "spanwire_http_errors_total",
        "Connections that ended in the middle of HTTP, by reason.",
        "reason",
        edge.broken(),
    );
    counter(
        text,
        "spanwire_forwarded_malformed_total",
        "Handshakes whose X-Forwarded-For or Forwarded could not be read, so that they count as the proxy's.",
        edge.malformed_forwards(),
    );
    text.family(
        "spanwire_api_calls_total",
        Kind::Counter,
        "Calls of the server API, by method and error code; 0 is success.",
    );
    for ((method, code), count) in edge.api_calls() {
        text.labelled(&[("method", &method), ("code", &code)], count);
    }
    text.family(
        "spanwire_api_turned_away_total",
        Kind::Counter,
        "Calls of the server API that were turned away, by the limit: the rate of their key, or how many may be under way.",
    );
    for (limit, count) in edge.api_turned_aways() {
        text.labelled(&[("limit", &limit)], count);
    }
}

fn http2(text: &mut Text, edge: &EdgeCounters) {
    let (connections, streams) = (&edge.http2_connections, &edge.http2_streams);
    text.family("spanwire_http2_connections", Kind::Gauge, "Open connections that speak HTTP/2.")
        .value(connections.now());
    counter(
        text,
        "spanwire_http2_connections_opened_total",
        "Connections that have spoken HTTP/2.",
        connections.total(),
    );
    text.family(
        "spanwire_http2_streams",
        Kind::Gauge,
        "Requests and WebSockets that are open on connections of HTTP/2.",
    )
    .value(streams.now());
    counter(
        text,
        "spanwire_http2_streams_opened_total",
        "Requests and WebSockets that came on connections of HTTP/2.",
        streams.total(),
    );
}

fn tls(text: &mut Text, edge: &EdgeCounters) {
    text.family(
        "spanwire_tls_handshakes_total",
        Kind::Counter,
        "TLS handshakes that succeeded, by version, and whether the client resumed an earlier one.",
    );
    for ((version, resumed), count) in edge.tls_handshakes() {
        text.labelled(&[("version", &version), ("resumed", &resumed)], count);
    }
    labelled(
        text,
        "spanwire_tls_handshake_failures_total",
        "TLS handshakes that came to nothing, by reason.",
        "reason",
        edge.tls_failures(),
    );
    labelled(
        text,
        "spanwire_tls_certificate_reads_total",
        "Certificates that were read again since the start, by what came of it.",
        "outcome",
        edge.certificate_reads(),
    );
    labelled(
        text,
        "spanwire_tls_certificate_orders_total",
        "Certificates that were ordered from an authority, by what came of it.",
        "outcome",
        edge.certificate_orders(),
    );
    text.family(
        "spanwire_tls_certificate_expiry_timestamp_seconds",
        Kind::Gauge,
        "When a certificate ends, in seconds since 1970, by its file.",
    );
    for (file, end) in edge.certificates() {
        let seconds = end.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        text.labelled(&[("file", &file)], seconds);
    }
}

pub(super) fn counter(text: &mut Text, name: &'static str, help: &str, value: u64) {
    text.family(name, Kind::Counter, help).value(value);
}

pub(super) fn labelled(
    text: &mut Text,
    name: &'static str,
    help: &str,
    label: &str,
    counts: BTreeMap<impl Display, u64>,
) {
    text.family(name, Kind::Counter, help);
    for (key, count) in &counts {
        text.labelled(&[(label, key)], count);
    }
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

pub(super) fn sum(shards: &[ShardSnapshot], of: impl Fn(&ShardSnapshot) -> u64) -> u64 {
    shards.iter().map(of).sum()
}

pub(super) fn merged<'a, K: Ord + Clone + 'a>(
    shards: &'a [ShardSnapshot],
    of: impl Fn(&'a ShardSnapshot) -> &'a BTreeMap<K, u64>,
) -> BTreeMap<K, u64> {
    let mut all = BTreeMap::new();
    for (key, count) in shards.iter().flat_map(of) {
        *all.entry(key.clone()).or_default() += count;
    }
    all
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::SystemTime;

    fn shard() -> ShardSnapshot {
        let mut shard = ShardSnapshot {
            connections_opened: 5,
            connections_closed: 2,
            disconnects: BTreeMap::from([(3001, 2)]),
            ..ShardSnapshot::default()
        };
        shard.publish_to_write.buckets[0] = 3;
        shard.publish_to_write.buckets[BOUNDS_MICROS.len()] = 1;
        shard.publish_to_write.sum_micros = 1_500_000;
        shard
    }

    fn proxy() -> ProxySnapshot {
        ProxySnapshot {
            name: "connect".to_owned(),
            in_flight: 3,
            limit: 20,
            waiting: 7,
            circuit: 2,
            outcomes: BTreeMap::from([("answered", 5)]),
            took: std::time::Duration::from_millis(1500),
        }
    }

    #[test]
    fn what_shards_have_counted_is_summed() {
        let edge = EdgeCounters::new(SystemTime::UNIX_EPOCH);
        edge.refused("origin_refused");
        edge.answered("api", StatusCode::OK);
        edge.api_called("publish", 0);
        let text = render(
            &[shard(), shard()],
            Census { clients: 4, ..Census::default() },
            &edge,
            &[proxy()],
            &TokenSnapshot::default(),
            None,
        );
        for line in [
            "spanwire_clients 4",
            "spanwire_proxy_circuit{proxy=\"connect\"} 2",
            "spanwire_proxy_questions_total{proxy=\"connect\",outcome=\"answered\"} 5",
            "spanwire_proxy_seconds_total{proxy=\"connect\"} 1.5",
            "spanwire_connections 6",
            "spanwire_disconnects_total{code=\"3001\"} 4",
            "spanwire_publish_to_write_seconds_bucket{le=\"0.00005\"} 6",
            "spanwire_publish_to_write_seconds_bucket{le=\"5\"} 6",
            "spanwire_publish_to_write_seconds_bucket{le=\"+Inf\"} 8",
            "spanwire_publish_to_write_seconds_sum 3",
            "spanwire_publish_to_write_seconds_count 8",
            "spanwire_handshake_failures_total{reason=\"origin_refused\"} 1",
            "spanwire_http_requests_total{route=\"api\",status=\"200\"} 1",
            "spanwire_api_calls_total{method=\"publish\",code=\"0\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn every_family_has_one_name_one_kind_and_a_sentence() {
        let (edge, events) = (EdgeCounters::new(SystemTime::UNIX_EPOCH), EventsSnapshot::default());
        let tokens = TokenSnapshot::default();
        let text = render(&[shard()], Census::default(), &edge, &[proxy()], &tokens, Some(&events));
        let helps: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
        let mut names: Vec<_> = helps.iter().filter_map(|help| help.split_once(' ')).collect();
        assert!(names.iter().all(|(_, help)| help.ends_with('.')));
        let count = names.len();
        names.sort_unstable();
        names.dedup_by_key(|(name, _)| *name);
        assert_eq!(names.len(), count);
    }
}

//! What the HTTP edge has answered, over plain connections, HTTP/2 and TLS.

use std::time::UNIX_EPOCH;

use super::EdgeCounters;
use super::text::{Kind, Text};

pub(super) fn http(text: &mut Text, edge: &EdgeCounters) {
    text.family(
        "spanwire_http_requests_total",
        Kind::Counter,
        "Requests answered that were no WebSocket handshakes, by what for and status.",
    );
    for ((route, status), count) in edge.requests() {
        text.labelled(&[("route", &route), ("status", &status)], count);
    }
    text.counters(
        "spanwire_http_errors_total",
        "Connections that ended in the middle of HTTP, by reason.",
        "reason",
        edge.broken(),
    );
    text.counter(
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

pub(super) fn http2(text: &mut Text, edge: &EdgeCounters) {
    let (connections, streams) = (&edge.http2_connections, &edge.http2_streams);
    text.gauge("spanwire_http2_connections", "Open connections that speak HTTP/2.", connections.now());
    text.counter(
        "spanwire_http2_connections_opened_total",
        "Connections that have spoken HTTP/2.",
        connections.total(),
    );
    text.gauge(
        "spanwire_http2_streams",
        "Requests and WebSockets that are open on connections of HTTP/2.",
        streams.now(),
    );
    text.counter(
        "spanwire_http2_streams_opened_total",
        "Requests and WebSockets that came on connections of HTTP/2.",
        streams.total(),
    );
}

pub(super) fn tls(text: &mut Text, edge: &EdgeCounters) {
    text.family(
        "spanwire_tls_handshakes_total",
        Kind::Counter,
        "TLS handshakes that succeeded, by version, and whether the client resumed an earlier one.",
    );
    for ((version, resumed), count) in edge.tls_handshakes() {
        text.labelled(&[("version", &version), ("resumed", &resumed)], count);
    }
    text.counters(
        "spanwire_tls_handshake_failures_total",
        "TLS handshakes that came to nothing, by reason.",
        "reason",
        edge.tls_failures(),
    );
    text.counters(
        "spanwire_tls_certificate_reads_total",
        "Certificates that were read again since the start, by what came of it.",
        "outcome",
        edge.certificate_reads(),
    );
    text.counters(
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

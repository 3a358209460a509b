//! How the proxies to the backend are doing.

use super::text::{Kind, Text};
use crate::backend::ProxySnapshot;

/// Adds what is counted of each proxy; nothing if there is none.
pub(super) fn proxies(text: &mut Text, proxies: &[ProxySnapshot]) {
    if proxies.is_empty() {
        return;
    }
    let mut gauge = |name, help, of: fn(&ProxySnapshot) -> usize| {
        text.family(name, Kind::Gauge, help);
        for proxy in proxies {
            text.labelled(&[("proxy", &proxy.name)], of(proxy));
        }
    };
    gauge("spanwire_proxy_in_flight", "Questions to the backend that are under way.", |proxy| {
        proxy.in_flight
    });
    gauge("spanwire_proxy_limit", "How many may be under way now; it follows the backend.", |proxy| {
        proxy.limit
    });
    gauge("spanwire_proxy_waiting", "Questions that wait for their turn.", |proxy| proxy.waiting);
    gauge(
        "spanwire_proxy_circuit",
        "Whether questions pass: 0 they do, 1 one is tried, 2 none does.",
        |proxy| proxy.circuit.into(),
    );
    text.family(
        "spanwire_proxy_questions_total",
        Kind::Counter,
        "Questions to the backend, by how they ended.",
    );
    for proxy in proxies {
        for (outcome, count) in &proxy.outcomes {
            text.labelled(&[("proxy", &proxy.name), ("outcome", outcome)], count);
        }
    }
    text.family(
        "spanwire_proxy_seconds_total",
        Kind::Counter,
        "Time that questions were under way, added up over all of them.",
    );
    for proxy in proxies {
        text.labelled(&[("proxy", &proxy.name)], proxy.took.as_secs_f64());
    }
}

//! A scrape: every metric there is, subject by subject.

use std::time::{SystemTime, UNIX_EPOCH};

use spanwire_hub::Census;

use super::EdgeCounters;
use super::events::events;
use super::http::{http, http2, tls};
use super::proxies::proxies;
use super::sessions::{connections, people};
use super::text::{Kind, Text};
use super::tokens::{TokenSnapshot, tokens};
use super::traffic::{latency, pressure, refusals, traffic};
use crate::backend::ProxySnapshot;
use crate::engine::EngineHandle;
use crate::engine::stats::ShardSnapshot;
use crate::events::EventsSnapshot;
use crate::log;

/// What is told at one moment.
pub(crate) struct Scrape<'a> {
    shards: Vec<ShardSnapshot>,
    census: Census,
    edge: &'a EdgeCounters,
    proxies: Vec<ProxySnapshot>,
    tokens: TokenSnapshot,
    /// Only where somebody is told of events.
    events: Option<EventsSnapshot>,
}

impl<'a> Scrape<'a> {
    /// What there is now, besides this census.
    pub(crate) fn of(engine: &EngineHandle, edge: &'a EdgeCounters, census: Census) -> Self {
        let (shards, proxies, events) = (engine.stats(), engine.proxies(), engine.events());
        Self { shards, census, edge, proxies, tokens: TokenSnapshot::of(engine, edge), events }
    }

    /// As Prometheus reads it.
    pub(crate) fn render(&self) -> String {
        let Self { shards, census, edge, .. } = self;
        let mut text = Text::default();
        process(&mut text, edge);
        people(&mut text, *census);
        connections(&mut text, shards, edge);
        traffic(&mut text, shards);
        latency(&mut text, shards);
        pressure(&mut text, shards);
        refusals(&mut text, shards);
        http(&mut text, edge);
        http2(&mut text, edge);
        tls(&mut text, edge);
        proxies(&mut text, &self.proxies);
        tokens(&mut text, shards, &self.tokens);
        events(&mut text, self.events.as_ref(), unix_ms());
        text.into_string()
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn process(text: &mut Text, edge: &EdgeCounters) {
    text.family("spanwire_build_info", Kind::Gauge, "The version that is running.")
        .labelled(&[("version", &env!("CARGO_PKG_VERSION"))], 1);
    text.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        edge.started_unix(),
    );
    text.gauge(
        "spanwire_configuration_time_seconds",
        "When the configuration was read that holds, in seconds since 1970.",
        edge.configured_unix(),
    );
    text.counters(
        "spanwire_configuration_reads_total",
        "How often the configuration was read again at SIGHUP, and whether it was applied or refused.",
        "outcome",
        edge.configuration_reads(),
    );
    text.counter(
        "spanwire_log_lines_dropped_total",
        "Lines left out of the log, because who reads it did not keep up.",
        log::lines_dropped(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::StatusCode;
    use std::collections::BTreeMap;

    use crate::engine::stats::BOUNDS_MICROS;

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
        let text = Scrape {
            shards: vec![shard(), shard()],
            census: Census { clients: 4, ..Census::default() },
            edge: &edge,
            proxies: vec![proxy()],
            tokens: TokenSnapshot::default(),
            events: None,
        }
        .render();
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
        let text = Scrape {
            shards: vec![shard()],
            census: Census::default(),
            edge: &EdgeCounters::new(SystemTime::UNIX_EPOCH),
            proxies: vec![proxy()],
            tokens: TokenSnapshot::default(),
            events: Some(EventsSnapshot::default()),
        }
        .render();
        let helps: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
        let mut names: Vec<_> = helps.iter().filter_map(|help| help.split_once(' ')).collect();
        assert!(names.iter().all(|(_, help)| help.ends_with('.')));
        let count = names.len();
        names.sort_unstable();
        names.dedup_by_key(|(name, _)| *name);
        assert_eq!(names.len(), count);
    }
}

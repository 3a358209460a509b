//! The server's own metrics, as `/metrics` has them, once a second.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::engine::{EngineHandle, Stopped};
use crate::metrics::{EdgeCounters, Scrape};

pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// What a scrape would find now: `at` in Unix milliseconds, and `values` from the name and labels of each sample to its
/// number.
pub(super) async fn now(engine: &EngineHandle, edge: &EdgeCounters) -> Result<String, Stopped> {
    let census = engine.census().await?;
    let text = Scrape::of(engine, edge, census).render();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    Ok(json!({ "at": at, "values": samples(&text) }).to_string())
}

/// The samples of a text in the format of Prometheus.
fn samples(text: &str) -> Map<String, Value> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, number) = line.rsplit_once(' ')?;
        Some((name.to_owned(), json!(number.parse::<f64>().ok()?)))
    };
    lines.filter_map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_there_under_its_name_and_labels() {
        let text = "# HELP a_total Help.\n# TYPE a_total counter\na_total{code=\"3001\"} 2\nb 1.5\n";
        assert_eq!(Value::from(samples(text)), json!({ "a_total{code=\"3001\"}": 2.0, "b": 1.5 }));
    }
}

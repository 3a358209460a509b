//! What is printed.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::super::{Exit, Failure};
use super::Options;
use super::tally::Tally;

/// How long things took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    /// Until everybody was connected and subscribed.
    pub(super) seated: Duration,
    /// From the first publication to the last acknowledgement; `None` if it did not come to that.
    pub(super) published: Option<Duration>,
    /// From the first publication to the last delivery.
    pub(super) elapsed: Duration,
    /// Of this process, while messages went around.
    pub(super) cpu: Duration,
}

/// The result of a run, as programs get it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    subscribers: u32,
    messages: u32,
    bytes: u32,
    encoding: &'static str,
    interrupted: bool,
    seated_s: f64,
    published_s: Option<f64>,
    elapsed_s: f64,
    delivered: u64,
    missing: u64,
    repeated: u64,
    reconnects: u64,
    deliveries_per_s: f64,
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    latency_max_ms: Option<f64>,
    /// CPU of these clients for each delivery, their part of the kernel's work included.
    client_us_per_delivery: f64,
    deliveries_per_s_and_core: f64,
}

impl Report {
    pub(super) fn new(options: &Options, tally: &Tally, times: Times, interrupted: bool) -> Self {
        let millis = |share| tally.latency.percentile(share).map(|took| took.as_secs_f64() * 1e3);
        let owed = u64::from(options.subscribers) * u64::from(options.messages);
        let per = |count: f64, time: Duration| if time.is_zero() { 0.0 } else { count / time.as_secs_f64() };
        let delivered = tally.delivered as f64;
        Self {
            subscribers: options.subscribers,
            messages: options.messages,
            bytes: options.bytes,
            encoding: if options.protobuf { "Protobuf" } else { "JSON" },
            interrupted,
            seated_s: times.seated.as_secs_f64(),
            published_s: times.published.map(|took| took.as_secs_f64()),
            elapsed_s: times.elapsed.as_secs_f64(),
            delivered: tally.delivered,
            missing: owed.saturating_sub(tally.delivered),
            repeated: tally.repeated,
            reconnects: tally.interrupted,
            deliveries_per_s: per(delivered, times.elapsed),
            latency_p50_ms: millis(0.5),
            latency_p99_ms: millis(0.99),
            latency_max_ms: millis(1.0),
            client_us_per_delivery: times.cpu.as_secs_f64() * 1e6 / delivered.max(1.0),
            deliveries_per_s_and_core: per(delivered, times.cpu),
        }
    }

    pub(super) fn json(&self) -> String {
        // Numbers and a text: nothing in it that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether everybody heard everything once.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.interrupted {
            return Err(interrupted());
        }
        if self.missing == 0 && self.repeated == 0 {
            return Ok(());
        }
        let trouble = format!(
            "{} deliveries are missing, and {} came twice or out of order",
            self.missing, self.repeated
        );
        Err(Failure::new(Exit::Failed, trouble).fix(
            "clients that are too slow for the rate are let go; try a lower --rate, or fewer --in-flight",
        ))
    }
}

/// That somebody has interrupted it.
pub(super) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "it was interrupted")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
        let seconds = |s: Option<f64>| s.map_or("-".to_owned(), |s| format!("{s:.2} s"));
        for (name, value) in [
            ("subscribers", self.subscribers.to_string()),
            ("seated in", seconds(Some(self.seated_s))),
            ("messages", self.messages.to_string()),
            ("bytes of each", format!("{}, {}", self.bytes, self.encoding)),
            ("published in", seconds(self.published_s)),
            ("delivered", self.delivered.to_string()),
            ("  in", seconds(Some(self.elapsed_s))),
            ("  a second", format!("{:.0}", self.deliveries_per_s)),
            ("missing", self.missing.to_string()),
            ("twice, or late", self.repeated.to_string()),
            ("reconnects", self.reconnects.to_string()),
            ("latency p50", millis(self.latency_p50_ms)),
            ("latency p99", millis(self.latency_p99_ms)),
            ("latency at most", millis(self.latency_max_ms)),
        ] {
            writeln!(f, "{name:<18}{value:>14}")?;
        }
        write!(
            f,
            "\nThese clients took {:.1} µs of CPU for each delivery: {:.0} deliveries a second on a core of their own.\n\
             Where they use it up, the server waits for them.",
            self.client_us_per_delivery, self.deliveries_per_s_and_core
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::time::Instant;

    use super::super::tally::Ear;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_is_missing_or_came_twice_is_a_failure() {
        let options = Line::parse_from(["bench", "--subscribers", "1", "--messages", "2"]).options;
        for (heard, expected) in
            [(&[0, 1][..], None), (&[1], Some(Exit::Failed)), (&[0, 0, 1], Some(Exit::Failed))]
        {
            let (mut ear, mut tally) = (Ear::default(), Tally::default());
            for number in heard {
                ear.hear(*number, Duration::from_millis(4), Instant::now(), 2, &mut tally);
            }
            let times =
                Times { elapsed: Duration::from_secs(2), cpu: Duration::from_secs(1), ..Times::default() };
            let report = Report::new(&options, &tally, times, false);
            assert_eq!(report.verdict().err().map(|failure| failure.exit), expected, "{heard:?}");
            assert_eq!(report.deliveries_per_s * 2.0, report.deliveries_per_s_and_core);
        }
        let report = Report::new(&options, &Tally::default(), Times::default(), true);
        assert_eq!(report.verdict().unwrap_err().exit, Exit::Interrupted);
        assert!(report.to_string().contains("missing                        2"), "{report}");
    }
}

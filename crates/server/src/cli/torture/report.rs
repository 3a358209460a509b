//! What is printed.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::latency::Latency;
use super::ledger::{Ledger, Tally, Violation};

/// The result of a run.
#[derive(Clone, Debug)]
pub(super) struct Report {
    seed: u64,
    tally: Tally,
    p50: Option<Duration>,
    p99: Option<Duration>,
    violation: Option<Violation>,
}

/// The same for programs.
#[derive(Serialize)]
struct Line {
    kept: bool,
    seed: u64,
    #[serde(flatten)]
    tally: Tally,
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<String>,
}

impl Report {
    pub(super) fn new(seed: u64, ledger: &Ledger) -> Self {
        let latency: &Latency = ledger.latency();
        Self {
            seed,
            tally: ledger.tally(),
            p50: latency.percentile(0.50),
            p99: latency.percentile(0.99),
            violation: ledger.violation().cloned(),
        }
    }

    /// Whether the promise held.
    pub(super) fn is_kept(&self) -> bool {
        self.violation.is_none() && self.tally.is_clean()
    }

    /// How it was broken first.
    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub(super) fn json(&self) -> String {
        let line = Line {
            kept: self.is_kept(),
            seed: self.seed,
            tally: self.tally,
            latency_p50_ms: self.p50.map(millis),
            latency_p99_ms: self.p99.map(millis),
            violation: self.violation.as_ref().map(Violation::to_string),
        };
        // Numbers and texts: nothing in it that could fail.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        for (name, count) in [
            ("published", tally.published),
            ("acknowledged", tally.acknowledged),
            ("unacknowledged", tally.unacknowledged),
            ("refused", tally.refused),
            ("delivered", tally.delivered),
            ("  of it recovered", tally.recovered),
            ("reconnects", tally.reconnects),
            ("gaps told", tally.gaps),
            ("duplicates", tally.duplicates),
            ("lost", tally.lost),
            ("out of order", tally.out_of_order),
            ("contradictions", tally.contradictions),
        ] {
            writeln!(f, "{name:<18}{count:>12}")?;
        }
        let shown =
            |took: Option<Duration>| took.map_or("-".to_owned(), |took| format!("{:.1} ms", millis(took)));
        writeln!(f, "{:<18}{:>12}", "latency p50", shown(self.p50))?;
        write!(f, "{:<18}{:>12}", "latency p99", shown(self.p99))
    }
}

/// One line about how it goes.
pub(super) fn progress(elapsed: Duration, tally: &Tally) -> String {
    let broken = tally.duplicates + tally.lost + tally.out_of_order + tally.contradictions;
    format!(
        "{:>4} s  {} acknowledged, {} delivered ({} recovered), {} reconnects, {} gaps told, {broken} broken",
        elapsed.as_secs(),
        tally.acknowledged,
        tally.delivered,
        tally.recovered,
        tally.reconnects,
        tally.gaps
    )
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_a_column_and_programs_get_the_same() {
        let mut ledger = Ledger::new(1, vec!["news".to_owned()]);
        ledger.publishes(Duration::ZERO, None, 0);
        let report = Report { p50: Some(Duration::from_millis(1)), ..Report::new(7, &ledger) };
        assert!(report.is_kept());
        let widths: Vec<_> = report.to_string().lines().map(str::len).collect();
        assert!(widths.iter().all(|width| *width == 30), "{report}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!((&json["kept"], &json["published"], &json["seed"]), (&true.into(), &1.into(), &7.into()));
    }
}

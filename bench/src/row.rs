//! One figure, measured on the server and on the floor in the same run.

use serde::{Deserialize, Serialize};

use crate::sample;
use crate::table;

/// A line of the report; also a line of `--json` and of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) scenario: String,
    /// What was measured.
    pub(crate) figure: String,
    /// What the numbers count.
    pub(crate) unit: String,
    /// The server's measurements; none where only the floor ran.
    pub(crate) spanwire: Option<Spread>,
    /// The floor's; none where a floor says nothing.
    pub(crate) floor: Option<Spread>,
    /// The peer's; none where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<Spread>,
    /// The server's median in units of the floor's.
    pub(crate) ratio: Option<f64>,
    /// What was promised.
    pub(crate) budget: Option<Budget>,
    /// Whether that was kept.
    pub(crate) kept: Option<bool>,
}

/// The measurements of several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) rounds: usize,
}

/// A promise about a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Budget {
    /// At most so many units.
    AtMost(f64),
    /// At least so many units.
    AtLeast(f64),
    /// At most so many times the floor's figure.
    FloorTimes(f64),
    /// At most so many times the peer's figure.
    PeerTimes(f64),
    /// At least the peer's figure.
    AtLeastPeer,
}

impl Spread {
    /// Summarises the rounds; none of no round.
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let (low, high) = sample::range(values)?;
        Some(Spread { median: sample::median(values)?, low, high, rounds: values.len() })
    }
}

impl Row {
    /// A figure and its measurements, without a promise.
    pub(crate) fn new(scenario: &str, figure: &str, unit: &str, spanwire: &[f64], floor: &[f64]) -> Row {
        let (spanwire, floor) = (Spread::of(spanwire), Spread::of(floor));
        let ratio = spanwire.zip(floor).map(|(ours, floor)| ours.median / floor.median);
        Row {
            scenario: scenario.to_owned(),
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            spanwire,
            floor,
            peer: None,
            ratio: ratio.filter(|ratio| ratio.is_finite()),
            budget: None,
            kept: None,
        }
    }

    /// The same with what the peer needed.
    pub(crate) fn beside(mut self, peer: &[f64]) -> Row {
        self.peer = Spread::of(peer);
        self
    }

    /// The server's median in units of the peer's.
    fn peer_ratio(&self) -> Option<f64> {
        let ratio = self.spanwire?.median / self.peer?.median;
        Some(ratio).filter(|ratio| ratio.is_finite())
    }

    /// The same with a promise, and whether it was kept.
    pub(crate) fn promised(mut self, budget: Budget) -> Row {
        let measured = self.spanwire.map(|spread| spread.median);
        self.kept = match budget {
            Budget::AtMost(most) => measured.map(|value| value <= most),
            Budget::AtLeast(least) => measured.map(|value| value >= least),
            Budget::FloorTimes(times) => self.ratio.map(|ratio| ratio <= times),
            Budget::PeerTimes(times) => self.peer_ratio().map(|ratio| ratio <= times),
            Budget::AtLeastPeer => self.peer_ratio().map(|ratio| ratio >= 1.0),
        };
        self.budget = Some(budget);
        self
    }
}

/// The report for people.
pub(crate) fn lay_out(rows: &[Row]) -> String {
    let head =
        ["scenario: figure", "unit", "spanwire", "range", "floor", "ratio", "peer", "ratio", "budget", ""];
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    table::lay_out(&head, &cells)
}

fn cells(row: &Row) -> Vec<String> {
    let median =
        |spread: Option<Spread>| spread.map_or("-".to_owned(), |spread| table::number(spread.median));
    let range = row.spanwire.map_or("-".to_owned(), |spread| {
        format!("{} to {}", table::number(spread.low), table::number(spread.high))
    });
    let times = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    vec![
        format!("{}: {}", row.scenario, row.figure),
        row.unit.clone(),
        median(row.spanwire),
        range,
        median(row.floor),
        times(row.ratio),
        median(row.peer),
        times(row.peer_ratio()),
        row.budget.map_or(String::new(), |budget| match budget {
            Budget::AtMost(most) => format!("≤ {}", table::number(most)),
            Budget::AtLeast(least) => format!("≥ {}", table::number(least)),
            Budget::FloorTimes(times) => format!("≤ {times:.2} × floor"),
            Budget::PeerTimes(times) => format!("≤ {times:.2} × peer"),
            Budget::AtLeastPeer => "≥ peer".to_owned(),
        }),
        row.kept.map_or("", |kept| if kept { "kept" } else { "MISSED" }).to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(spanwire: &[f64], floor: &[f64]) -> Row {
        Row::new("fan-out", "CPU", "ns", spanwire, floor)
    }

    #[test]
    fn a_promise_is_kept_up_to_its_very_edge() {
        let table = [
            (Budget::AtMost(300.0), Some(true)),
            (Budget::AtMost(299.9), Some(false)),
            (Budget::AtLeast(300.0), Some(true)),
            (Budget::AtLeast(300.1), Some(false)),
            (Budget::FloorTimes(1.5), Some(true)),
            (Budget::FloorTimes(1.4), Some(false)),
        ];
        for (budget, kept) in table {
            assert_eq!(row(&[100.0, 300.0, 900.0], &[200.0]).promised(budget).kept, kept, "{budget:?}");
        }
    }

    #[test]
    fn a_promise_about_a_peer_is_held_against_the_peer() {
        let row = || row(&[300.0], &[100.0]).beside(&[200.0, 250.0, 900.0]);
        assert_eq!(row().promised(Budget::PeerTimes(1.2)).kept, Some(true));
        assert_eq!(row().promised(Budget::PeerTimes(1.1)).kept, Some(false));
        assert_eq!(row().promised(Budget::AtLeastPeer).kept, Some(true));
        assert_eq!(super::tests::row(&[1.0], &[]).promised(Budget::AtLeastPeer).kept, None);
    }

    #[test]
    fn what_was_not_measured_neither_keeps_nor_breaks_a_promise() {
        assert_eq!(row(&[], &[200.0]).promised(Budget::AtMost(1.0)).kept, None);
        assert_eq!(row(&[200.0], &[]).promised(Budget::FloorTimes(1.0)).kept, None);
        assert_eq!(row(&[200.0], &[0.0]).ratio, None);
    }

    #[test]
    fn a_row_survives_its_journey_through_json() {
        let row = row(&[1.0, 2.0], &[]).promised(Budget::FloorTimes(1.1));
        let json = serde_json::to_string(&row).unwrap();
        assert!(json.contains(r#""budget":{"floor_times":1.1}"#), "{json}");
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
    }

    #[test]
    fn the_report_shows_both_sides_and_the_verdict() {
        let report = lay_out(&[row(&[300.0], &[200.0]).promised(Budget::FloorTimes(1.1))]);
        let line = report.lines().last().unwrap();
        for cell in ["fan-out: CPU", "300 to 300", "200", "1.50", "≤ 1.10 × floor", "MISSED"] {
            assert!(line.contains(cell), "{cell} in {line}");
        }
    }
}

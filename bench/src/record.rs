//! A run kept for later, so that a regression can be seen: `bench/records/DATE-COMMIT.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::row::Row;
use crate::table;

/// A run, where and on what it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The day, as `YYYY-MM-DD`, UTC.
    pub(crate) date: String,
    /// The commit that was measured, with `-dirty` if files differed from it.
    pub(crate) commit: String,
    /// The machine.
    pub(crate) machine: Machine,
    /// The figures.
    pub(crate) rows: Vec<Row>,
}

impl Record {
    /// A record without figures, of the commit that is checked out now: ask before measuring, since a commit may
    /// come in the meantime.
    pub(crate) fn begin() -> Result<Record> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let date = date((since.as_secs() / 86_400) as i64);
        let commit = git(&["describe", "--always", "--dirty", "--exclude", "*"])?;
        Ok(Record { date, commit, machine: Machine::look(), rows: Vec::new() })
    }

    /// Writes the record into the repository and returns the file's name.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = Path::new(&git(&["rev-parse", "--show-toplevel"])?).join("bench/records");
        fs::create_dir_all(&folder).context("cannot make the folder of records")?;
        let file = folder.join(format!("{}-{}.json", self.date, self.commit));
        let json = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, json).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Reads a record.
    pub(crate) fn read(file: &Path) -> Result<Record> {
        let json = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&json).with_context(|| format!("{} is not a record", file.display()))
    }

    /// Lays out two records side by side. Across machines, or with other work going on, only the ratios
    /// to the floor compare, since the floor met the same conditions.
    pub(crate) fn compare(&self, later: &Record) -> String {
        let mut out = String::new();
        for (name, record) in [("A", self), ("B", later)] {
            let Machine { cores, cpu, kernel } = &record.machine;
            out += &format!("{name}: {} {}, {cores} × {cpu}, {kernel}\n", record.date, record.commit);
        }
        if self.machine != later.machine {
            out += "the machines differ: compare the ratios only\n";
        }
        let head = ["scenario: figure", "unit", "A", "B", "B/A", "A ratio", "B ratio", "B/A"];
        let rows: Vec<Vec<String>> = self.rows.iter().filter_map(|row| later.beside(row)).collect();
        out + &table::lay_out(&head, &rows)
    }

    fn beside(&self, earlier: &Row) -> Option<Vec<String>> {
        let same = |row: &&Row| row.scenario == earlier.scenario && row.figure == earlier.figure;
        let row = self.rows.iter().find(same)?;
        let median = |row: &Row| row.spanwire.map(|spread| spread.median);
        let (a, b) = (median(earlier), median(row));
        let show = |value: Option<f64>| value.map_or("-".to_owned(), table::number);
        let over = |a: Option<f64>, b: Option<f64>| show(a.zip(b).map(|(a, b)| b / a));
        Some(vec![
            format!("{}: {}", row.scenario, row.figure),
            row.unit.clone(),
            show(a),
            show(b),
            over(a, b),
            show(earlier.ratio),
            show(row.ratio),
            over(earlier.ratio, row.ratio),
        ])
    }
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").args(arguments).output().context("cannot run git")?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).context("git does not answer in UTF-8")?.trim().to_owned())
}

/// The Gregorian date of the day with this number, where 1 January 1970 is day 0. Counts from 1 March of
/// year 0 in eras of 400 years (146,097 days), so that the leap day is always the last of its year.
fn date(day: i64) -> String {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(spanwire: f64, floor: f64) -> Record {
        Record {
            date: "2026-11-20".to_owned(),
            commit: "abc1234".to_owned(),
            machine: Machine { cores: 2, cpu: "Abacus 9".to_owned(), kernel: "6.18".to_owned() },
            rows: vec![Row::new("fan-out", "CPU", "ns", &[spanwire], &[floor])],
        }
    }

    #[test]
    fn days_become_dates_across_leap_days_and_centuries() {
        let table = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_777, "2026-11-20"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (day, expected) in table {
            assert_eq!(date(day), expected, "{day}");
        }
    }

    #[test]
    fn a_comparison_shows_both_figures_and_both_ratios() {
        let text = record(200.0, 100.0).compare(&record(300.0, 100.0));
        let line = text.lines().last().unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["fan-out:", "CPU", "ns", "200", "300", "1.50", "2.00", "3.00", "1.50"]);
        assert!(!text.contains("machines differ"));
    }

    #[test]
    fn records_of_different_machines_say_so() {
        let mut other = record(1.0, 1.0);
        other.machine.cores = 64;
        assert!(record(1.0, 1.0).compare(&other).contains("compare the ratios only"));
    }

    #[test]
    fn a_figure_that_only_one_record_has_is_left_out() {
        let mut other = record(1.0, 1.0);
        other.rows[0].figure = "memory".to_owned();
        assert_eq!(record(1.0, 1.0).compare(&other).lines().count(), 4);
    }
}

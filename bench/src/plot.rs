//! A picture of what a delivery costs as a channel grows, drawn from a record.
//!
//! Both axes are logarithmic: a cost that does not depend on the number of subscribers is a level line.

use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::record::Record;
use crate::row::Row;
use crate::scenario::one_channel;
use crate::table;

/// Size of the picture, and its margins for the labels, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 76.0;

/// A line of the picture.
struct Curve {
    label: &'static str,
    colour: &'static str,
    dashes: &'static str,
    /// Subscribers and nanoseconds.
    points: Vec<(f64, f64)>,
}

/// Draws the cost of a delivery against the subscribers of one channel, server and floor, one message per turn and
/// flat out. Fails if the record has no such figures.
pub(crate) fn draw(record: &Record) -> Result<String> {
    let curves = [
        curve(record, "server, alone", "#c0392b", "", one_channel::ALONE, spanwire),
        curve(record, "floor, alone", "#7f8c8d", "5 4", one_channel::ALONE, floor),
        curve(record, "server, 32 in flight", "#2457a8", "", one_channel::FLAT_OUT, spanwire),
        curve(record, "floor, 32 in flight", "#7f8c8d", "2 3", one_channel::FLAT_OUT, floor),
    ];
    let points = || curves.iter().flat_map(|curve| &curve.points);
    ensure!(points().count() > 0, "the record has no figures of one channel; run `bench record`");
    let across = Axis::around(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let up = Axis::around(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(
        &mut svg,
        LEFT,
        TOP - 25.0,
        "start",
        "Server CPU per delivery, nanoseconds, against subscribers of one channel",
    );
    text(
        &mut svg,
        LEFT,
        HEIGHT - 12.0,
        "start",
        &format!("128 B, {} {}, {}", record.date, record.commit, record.machine.cpu),
    );
    if points().any(|point| point.0 > one_channel::A_PROCESS as f64) {
        let words =
            "The last points: several processes, each with a part of the subscribers; no broker between them";
        text(&mut svg, LEFT, HEIGHT - 28.0, "start", words);
    }
    for decade in across.decades() {
        let x = across.at(decade);
        rule(&mut svg, x, TOP, x, HEIGHT - BOTTOM);
        text(&mut svg, x, HEIGHT - BOTTOM + 18.0, "middle", &grouped(decade));
    }
    for decade in up.decades() {
        let y = up.at(decade);
        rule(&mut svg, LEFT, y, WIDTH - RIGHT, y);
        text(&mut svg, LEFT - 8.0, y + 4.0, "end", &grouped(decade));
    }
    let mut labels = Vec::new();
    for curve in &curves {
        trace(&mut svg, curve, &across, &up, &mut labels);
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn curve(
    record: &Record,
    label: &'static str,
    colour: &'static str,
    dashes: &'static str,
    figure: &str,
    side: fn(&Row) -> Option<f64>,
) -> Curve {
    let rows = record.rows.iter().filter(|row| row.figure == figure);
    let point = |row: &Row| {
        let subscribers = row.scenario.strip_prefix(one_channel::NAME)?.parse().ok()?;
        Some((subscribers, side(row).filter(|cost| *cost > 0.0)?))
    };
    Curve { label, colour, dashes, points: rows.filter_map(point).collect() }
}

fn spanwire(row: &Row) -> Option<f64> {
    row.spanwire.map(|spread| spread.median)
}

fn floor(row: &Row) -> Option<f64> {
    row.floor.map(|spread| spread.median)
}

/// A logarithmic axis over whole decades.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    /// The decades around `values`, all positive, drawn from `from` to `to`.
    fn around(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        for value in values {
            low = low.min(value.log10().floor() as i32);
            high = high.max(value.log10().ceil() as i32);
        }
        Axis { low, high: high.max(low + 1), from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|decade| 10f64.powi(decade))
    }
}

/// A decade as people write it.
fn grouped(value: f64) -> String {
    if value < 100.0 { format!("{value}") } else { table::number(value) }
}

fn trace(svg: &mut String, curve: &Curve, across: &Axis, up: &Axis, labels: &mut Vec<f64>) {
    let Curve { label, colour, dashes, points } = curve;
    let Some(&last) = points.last() else { return };
    let places = points.iter().map(|&(x, y)| format!("{:.1},{:.1}", across.at(x), up.at(y)));
    let places: Vec<String> = places.collect();
    push(
        svg,
        format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\n",
            places.join(" ")
        ),
    );
    for &(x, y) in points {
        let (x, y, value) = (across.at(x), up.at(y), table::number(y));
        push(
            svg,
            format_args!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"><title>{value} ns</title></circle>\n"
            ),
        );
    }
    // Lines that end side by side must not write over each other.
    let mut y = up.at(last.1) + 4.0;
    while labels.iter().any(|taken| (taken - y).abs() < 14.0) {
        y += 14.0;
    }
    labels.push(y);
    text(svg, across.at(last.0) + 10.0, y, "start", label);
}

fn rule(svg: &mut String, x1: f64, y1: f64, x2: f64, y2: f64) {
    push(
        svg,
        format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>\n"
        ),
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    push(
        svg,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#333333\">{words}</text>\n"
        ),
    );
}

fn push(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = svg.write_fmt(element);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    fn record(rows: Vec<Row>) -> Record {
        let machine = Machine { cores: 2, cpu: "Abacus <9>".to_owned(), kernel: "6.18".to_owned() };
        Record { date: "2026-11-20".to_owned(), commit: "abc1234".to_owned(), machine, rows }
    }

    #[test]
    fn equal_costs_are_drawn_on_one_level() {
        let rows = [1, 10, 100].map(|subscribers| {
            let name = format!("{}{subscribers}", one_channel::NAME);
            Row::new(&name, one_channel::ALONE, "ns", &[3_000.0], &[2_000.0])
        });
        let svg = draw(&record(rows.to_vec())).unwrap();
        let points = svg.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let levels: Vec<&str> = points.split(' ').filter_map(|point| point.split(',').nth(1)).collect();
        assert_eq!(levels.len(), 3);
        assert!(levels.iter().all(|level| *level == levels[0]), "{points}");
        assert!(svg.contains("Abacus &lt;9>"), "{svg}");
    }

    #[test]
    fn an_axis_spans_whole_decades_from_end_to_end() {
        let axis = Axis::around([3.0, 250.0].into_iter(), 0.0, 300.0);
        assert_eq!(axis.decades().collect::<Vec<_>>(), [1.0, 10.0, 100.0, 1000.0]);
        for (value, place) in [(1.0, 0.0), (10.0, 100.0), (1000.0, 300.0)] {
            assert!((axis.at(value) - place).abs() < 1e-9, "{value}");
        }
        assert_eq!(Axis::around([10.0].into_iter(), 0.0, 1.0).decades().count(), 2);
    }

    #[test]
    fn a_record_without_the_figures_draws_nothing() {
        let error = draw(&record(Vec::new())).unwrap_err().to_string();
        assert!(error.contains("bench record"), "{error}");
    }
}

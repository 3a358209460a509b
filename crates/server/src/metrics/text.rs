//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

/// Writes families of metrics, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Text {
    out: String,
    family: &'static str,
}

/// What a family's numbers do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// They only grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are buckets.
    Histogram,
}

impl Text {
    /// Begins a family. Its samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.family = name;
        self
    }

    /// A family of one number that only grows.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help).value(value);
    }

    /// A family of one number that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, Kind::Gauge, help).value(value);
    }

    /// A family of numbers that only grow, by one label.
    pub(super) fn counters<K: Display>(
        &mut self,
        name: &'static str,
        help: &str,
        label: &str,
        counts: impl IntoIterator<Item = (K, u64)>,
    ) {
        self.family(name, Kind::Counter, help);
        for (key, count) in counts {
            self.labelled(&[(label, &key)], count);
        }
    }

    /// One number of the family, without labels.
    pub(super) fn value(&mut self, value: impl Display) -> &mut Self {
        self.sample("", &[], value)
    }

    /// One number of the family, with labels. None of our labels has characters that would have to be escaped.
    pub(super) fn labelled(&mut self, labels: &[(&str, &dyn Display)], value: impl Display) -> &mut Self {
        self.sample("", labels, value)
    }

    /// One number of the family, under the family's name and a suffix.
    pub(super) fn sample(
        &mut self,
        suffix: &str,
        labels: &[(&str, &dyn Display)],
        value: impl Display,
    ) -> &mut Self {
        let _ = write!(self.out, "{}{suffix}", self.family);
        for (number, (name, label)) in labels.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            let _ = write!(self.out, "{before}{name}=\"{label}\"");
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.out, "{after} {value}");
        self
    }

    pub(super) fn into_string(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_as_prometheus_reads_them() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "Help.").labelled(&[("code", &3001), ("why", &"x")], 2);
        text.family("b", Kind::Gauge, "More.").value(1.5);
        let expected = "# HELP a_total Help.\n# TYPE a_total counter\na_total{code=\"3001\",why=\"x\"} 2\n\
                        # HELP b More.\n# TYPE b gauge\nb 1.5\n";
        assert_eq!(text.into_string(), expected);
    }
}

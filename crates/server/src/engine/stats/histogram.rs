//! How long things took, in fixed buckets.

use super::Counter;

/// Upper bounds of the buckets, in microseconds; one more bucket takes what is longer.
pub const BOUNDS_MICROS: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

/// Durations counted by one thread.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [Counter; BOUNDS_MICROS.len() + 1],
    sum_micros: Counter,
}

/// A histogram as it stood when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// How many durations fell into each bucket (not cumulative): up to [`BOUNDS_MICROS`], and beyond the last.
    pub buckets: [u64; BOUNDS_MICROS.len() + 1],
    /// All durations together, in microseconds.
    pub sum_micros: u64,
}

impl Histogram {
    pub(crate) fn record(&self, micros: u64) {
        self.buckets[BOUNDS_MICROS.partition_point(|&bound| bound < micros)].one();
        self.sum_micros.add(micros);
    }

    pub(crate) fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            buckets: std::array::from_fn(|index| self.buckets[index].read()),
            sum_micros: self.sum_micros.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_belongs_to_the_first_bucket_whose_bound_it_does_not_exceed() {
        let histogram = Histogram::default();
        for micros in [0, 50, 51, 1_000, 5_000_000, 5_000_001, 9_000_000] {
            histogram.record(micros);
        }
        let HistogramSnapshot { buckets, sum_micros } = histogram.snapshot();
        assert_eq!((buckets[0], buckets[1], buckets[4], buckets[14], buckets[15]), (2, 1, 1, 1, 2));
        assert_eq!((buckets.iter().sum::<u64>(), sum_micros), (7, 19_001_102));
    }
}

//! How long things took: a histogram of a fixed size.

use std::time::Duration;

/// Buckets to each doubling: a percentile is at most a sixteenth too high.
const STEPS: u64 = 16;
/// Doublings from sixteen microseconds on; the last one is half a million years.
const DOUBLINGS: usize = 60;

/// A histogram of durations, in microseconds.
#[derive(Clone, Debug)]
pub struct Latency {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { buckets: vec![0; STEPS as usize * (DOUBLINGS + 1)], count: 0 }
    }
}

impl Latency {
    /// Counts one duration.
    pub fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
    }

    /// How many durations have been counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What the given share of all did not exceed, at most a sixteenth too high; `None` of none. `share` is between 0
    /// and 1.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let wanted = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut passed = 0;
        let reached = self.buckets.iter().position(|count| {
            passed += count;
            passed >= wanted
        });
        reached.map(|index| Duration::from_micros(highest(index as u64)))
    }
}

fn bucket(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let doubling = u64::from(micros.ilog2() - STEPS.ilog2());
    ((doubling + 1) * STEPS + (micros >> doubling) % STEPS) as usize
}

/// The highest duration that a bucket counts, in microseconds.
fn highest(index: u64) -> u64 {
    if index < STEPS {
        return index;
    }
    let doubling = index / STEPS - 1;
    ((u128::from(STEPS + index % STEPS + 1) << doubling) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_a_bucket_that_ends_at_most_a_sixteenth_above_it() {
        let mut micros = 0;
        while micros < u64::MAX / 2 {
            let end = highest(bucket(micros) as u64);
            assert!(end >= micros && end - micros <= micros / STEPS, "{micros} is counted as {end}");
            micros += micros / 33 + 1;
        }
        let mut latency = Latency::default();
        latency.record(Duration::MAX);
        assert!(latency.percentile(1.0) >= Some(Duration::from_micros(u64::MAX - 1)));
    }

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentile(0.5), None);
        (1..=10).for_each(|micros| latency.record(Duration::from_micros(micros)));
        for (share, micros) in [(0.0, 1), (0.5, 5), (0.91, 10), (1.0, 10)] {
            assert_eq!(latency.percentile(share), Some(Duration::from_micros(micros)), "{share}");
        }
    }
}

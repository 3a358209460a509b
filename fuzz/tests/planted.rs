//! Courses of events from seeds: without a fault every promise is kept, and each fault that we plant is seen.

use spanwire_fuzz::{Chance, Fault, play};

const SEEDS: u64 = 300;

/// A course that nobody has thought of.
fn course(seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    (0..1 + 2 * chance.below(120)).map(|_| chance.draw().to_le_bytes()[3]).collect()
}

#[test]
fn every_event_is_told_in_its_place_or_within_a_gap_that_is_told() {
    for seed in 0..SEEDS {
        assert_eq!(play(&course(seed), None), Ok(()), "seed {seed}");
    }
}

#[test]
fn each_planted_fault_is_seen() {
    let is_seen = |fault| (0..SEEDS).any(|seed| play(&course(seed), Some(fault)).is_err());
    let missed: Vec<_> = Fault::ALL.into_iter().filter(|fault| !is_seen(*fault)).collect();
    assert!(missed.is_empty(), "nobody noticed {missed:?}");
}

//! Every target, for a little while, with inputs that nobody has thought of: seeded mutations of the corpus.
//!
//! The inputs are the same in every run. `SPANWIRE_FUZZ_SEED` tries others, `SPANWIRE_FUZZ_INPUTS` more of them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use spanwire_fuzz::{Chance, TARGETS, Target, mutate};

/// How many inputs each target gets. In a debug build that takes a few seconds for all of them.
const INPUTS: u64 = 2_000;

fn from_environment(name: &str, default: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// The corpus of a target, in the order of the files' names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs one target on its share; tells an input that breaks it in a form that can be put into the corpus.
fn smoke((name, target): &Target, seed: u64, inputs: u64) {
    let (seeds, mut chance) = (corpus(name), Chance::new(seed));
    for number in 0..inputs {
        let (one, other) = (chance.below(seeds.len()), chance.below(seeds.len()));
        let input = mutate(&seeds[one], &seeds[other], &mut chance);
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            panic!("{name}, seed {seed}, input {number}: b\"{}\"", input.escape_ascii());
        }
    }
}

#[test]
fn every_invariant_holds_for_mutations_of_the_corpus() {
    let seed = from_environment("SPANWIRE_FUZZ_SEED", 1);
    let inputs = from_environment("SPANWIRE_FUZZ_INPUTS", INPUTS);
    // Two at a time, as most machines that run this can.
    let (one, other) = TARGETS.split_at(TARGETS.len() / 2);
    std::thread::scope(|scope| {
        for half in [one, other] {
            scope.spawn(move || half.iter().for_each(|target| smoke(target, seed, inputs)));
        }
    });
}

#[test]
fn the_same_seed_makes_the_same_inputs_and_another_makes_others() {
    let inputs = |seed| -> Vec<_> {
        let mut chance = Chance::new(seed);
        (0..50).map(|_| mutate(b"a seed to be changed", b"another one", &mut chance)).collect()
    };
    assert_eq!(inputs(1), inputs(1));
    assert_ne!(inputs(1), inputs(2));
}

//! Bugs that we plant, to know that the ledger would see them.

use spanwire_sim::shrink::shrink;
use spanwire_sim::{Bug, Plot, run};

const SEEDS: u64 = 1000;

/// The first seed that shows a bug.
fn found(bug: Bug) -> Option<u64> {
    (0..SEEDS).find(|seed| run(&Plot::of(*seed), Some(bug), false).violation.is_some())
}

#[test]
fn each_planted_bug_is_found_within_a_thousand_runs() {
    let missed: Vec<_> = Bug::ALL.into_iter().filter(|bug| found(*bug).is_none()).collect();
    assert!(missed.is_empty(), "nobody noticed {missed:?}");
}

#[test]
fn what_fails_is_shrunk_to_a_conversation_that_fails_and_can_be_read() {
    for bug in [Bug::RecoveryBeginsLate, Bug::ForgottenPresence, Bug::SwappedPublications] {
        let whole = Plot::of(found(bug).expect("a seed that shows it"));
        let short = shrink(&whole, Some(bug));
        let outcome = run(&short, Some(bug), true);
        assert!(outcome.violation.is_some(), "{bug}");
        let (acts, before) = (short.acts.len(), whole.acts.len());
        assert!(acts <= 25 && acts * 2 < before, "{bug}: {acts} of {before} acts are left");
        assert!(outcome.lines.iter().any(|line| line.contains("** ")), "{bug}: {:#?}", outcome.lines);
    }
}

#[test]
fn shrinking_leaves_a_run_alone_that_keeps_every_promise() {
    let plot = Plot::of(1);
    assert_eq!(shrink(&plot, None).acts.len(), plot.acts.len());
}

#[test]
fn every_bug_has_a_name_that_can_be_typed() {
    for bug in Bug::ALL {
        assert_eq!(bug.to_string().to_lowercase().parse(), Ok(bug));
    }
    assert!("nothing".parse::<Bug>().is_err());
}

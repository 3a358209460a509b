//! A thousand runs in which every promise is kept, although everything happens that can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use spanwire_sim::{Outcome, Plot, run};

const SEEDS: u64 = 1000;

/// What must have happened somewhere in a thousand runs: a promise that was never tested is not kept.
const MUST_HAPPEN: [&str; 34] = [
    "published",
    "connected",
    "subscribed",
    "heard",
    "heard late",
    "recovered",
    "unrecovered",
    "gap",
    "acknowledged",
    "answered",
    "unacknowledged",
    "refused",
    "queue full",
    "client closed",
    "silence",
    "slow",
    "lags",
    "left out",
    "no pong",
    "shutdown",
    "expired",
    "connect refused",
    "told to reconnect",
    "told to go",
    "connection lost",
    "disconnected by wish",
    "insufficient state",
    "insufficient state, server-side",
    "unsubscribed by the server",
    "subscribe refused for now",
    "letters dropped",
    "refused by the broker",
    "the backend answered late",
    "the backend did not answer",
];

#[test]
fn every_promise_is_kept_in_a_thousand_runs_and_everything_happens_in_them() {
    let counts = play_all();
    let missing: Vec<_> = MUST_HAPPEN.into_iter().filter(|what| !counts.contains_key(what)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}; what did: {counts:#?}");
}

/// Plays all seeds on all cores, and adds up what happened.
fn play_all() -> BTreeMap<&'static str, u64> {
    let next = AtomicU64::new(0);
    let play = || {
        let mut counts = BTreeMap::<_, u64>::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                return counts;
            }
            let Outcome { violation, counts: more, .. } = run(&Plot::of(seed), None, false);
            assert_eq!(violation, None, "seed {seed}; read it with: cargo run -p spanwire-sim -- {seed}");
            for (what, count) in more {
                *counts.entry(what).or_default() += count;
            }
        }
    };
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let players: Vec<_> = (0..cores).map(|_| scope.spawn(play)).collect();
        let mut sum = BTreeMap::<_, u64>::new();
        for player in players {
            let counts = player.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (what, count) in counts {
                *sum.entry(what).or_default() += count;
            }
        }
        sum
    })
}

#[test]
fn the_same_seed_is_the_same_run_and_another_seed_is_another() {
    let hash = |seed| run(&Plot::of(seed), None, false).hash;
    let mut hashes: Vec<_> = (0..20).map(hash).collect();
    assert_eq!(hashes, (0..20).map(hash).collect::<Vec<_>>());
    assert_eq!(hash(3), run(&Plot::of(3), None, true).hash, "whether somebody reads makes no difference");
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 20);
}

//! Those who connect, subscribe, and leave without a word.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::VISITS_PER_SECOND;
use super::counts::Counts;
use crate::crowd::{Crowd, Guests};
use crate::subject::Server;
use crate::tongue::Tongue;

/// How many come together.
const TOGETHER: usize = 50;
/// The channels that they come to, one after the other.
const CHANNELS: usize = 1_000;

/// Visits until it is over.
pub(super) fn run(server: &Server, counts: &Counts) -> Result<()> {
    let mut crowd = Crowd::new()?;
    let hello = |number: usize| {
        vec![
            Tongue::Json.connect(1),
            Tongue::Json.subscribe(2, &format!("bench:visit {}", number % CHANNELS)),
        ]
    };
    let guests = Guests::new(server.address, Tongue::Json, TOGETHER, &hello);
    let (began, mut gone) = (Instant::now(), 0);
    while !counts.are_over() {
        crowd.pass_through(&guests)?;
        gone += TOGETHER as u64;
        counts.visited(TOGETHER as u64);
        let due = Duration::from_secs_f64(gone as f64 / VISITS_PER_SECOND as f64);
        // Nobody is there any more, so that this ends when the next are due.
        crowd.turn(began + due, &mut |_, _| {})?;
    }
    Ok(())
}

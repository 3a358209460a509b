//! A room that talks without a pause, and in which everybody counts what they hear.

use std::time::Duration;

use anyhow::Result;

use super::DELIVERIES_PER_SECOND;
use super::counts::Counts;
use crate::load::fanout::{Fanout, Pace};
use crate::subject::Server;

const MEMBERS: usize = 100;
/// Messages until all who are in the room leave, and others come.
const MESSAGES: u32 = 2_250;

/// Talks until it is over. Fails unless every member hears every message once and in order.
pub(super) fn run(server: &Server, counts: &Counts) -> Result<()> {
    let interval = Duration::from_nanos(1_000_000_000 * MEMBERS as u64 / DELIVERIES_PER_SECOND);
    let talk = Fanout::new(MEMBERS, Pace::Every { interval, burst: 1 }, MESSAGES, 0);
    while !counts.are_over() {
        counts.delivered(talk.run(server)?.deliveries);
    }
    Ok(())
}

//! The floor under a loop of its own.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Floor;

/// How many groups the peers are divided into for heartbeats, so that they are not all sent at once.
const SLOTS: usize = 256;

/// Blocks in `epoll_wait` until something is ready or, with heartbeats, the next group is due.
pub(super) fn run(mut floor: Floor, ping: Duration) -> Result<()> {
    if ping.is_zero() {
        loop {
            floor.turn(None)?;
        }
    }
    let (step, mut due) = (ping / SLOTS as u32, Instant::now());
    for slot in (0..SLOTS).cycle() {
        due += step;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            floor.turn(Some(left))?;
        }
        floor.ping(slot, SLOTS);
    }
    Ok(())
}

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
            let count = floor.poller.wait(None)?;
            floor.turn(count)?;
        }
    }
    let mut due = Instant::now();
    for slot in (0..SLOTS).cycle() {
        due += ping / SLOTS as u32;
        while Instant::now() < due {
            let count = floor.poller.wait(Some(due))?;
            floor.turn(count)?;
        }
        floor.ping(slot, SLOTS);
    }
    Ok(())
}

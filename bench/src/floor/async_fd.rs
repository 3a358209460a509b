//! The floor under tokio: its epoll set is one `AsyncFd` of a current-thread runtime.

use std::io;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Floor;

/// Waits for the runtime to report the epoll set, then takes turns until it has nothing more.
pub(super) fn run(mut floor: Floor) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot build a tokio runtime")?;
    runtime.block_on(async {
        let set = floor.poller.duplicate()?;
        let set = register(set).context("tokio refuses the epoll set")?;
        loop {
            let mut ready = set.readable().await?;
            // tokio watches edges and the set is level-triggered: only an empty look proves that another
            // edge will come.
            loop {
                let count = floor.poller.look()?;
                if count == 0 {
                    break;
                }
                floor.turn(count)?;
            }
            ready.clear_ready();
        }
    })
}

/// The safe way in, which tokio deprecates because a type of the caller's could close or swap its
/// descriptor while it is registered. An owned descriptor does neither.
#[expect(deprecated, reason = "its successor is unsafe, and the danger it warns of is not ours")]
fn register(set: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(set, Interest::READABLE)
}

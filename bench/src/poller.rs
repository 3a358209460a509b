//! An epoll set whose members are known by a number.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

/// Most events taken from the kernel at once: 12 KiB of them, which stays in the first-level cache.
const EVENTS_MAX: usize = 1024;

/// A level-triggered epoll set. Load, floor and both candidate loops share it, so that none of them has
/// a better poller than the others.
pub(crate) struct Poller {
    set: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    /// Makes an empty set.
    pub(crate) fn new() -> Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC).context("cannot create an epoll set")?;
        Ok(Poller { set, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches `member` for readability; it is reported as `number`. Closing it ends that.
    pub(crate) fn watch(&self, member: impl AsFd, number: u64) -> Result<()> {
        epoll::add(&self.set, member, epoll::EventData::new_u64(number), epoll::EventFlags::IN)
            .context("cannot watch a socket")
    }

    /// Waits until a member is readable or `patience` has passed; none means forever, zero means a look.
    /// Afterwards the readable ones are in [`ready`](Self::ready).
    pub(crate) fn wait(&mut self, patience: Option<Duration>) -> Result<usize> {
        let patience = patience.map(timespec);
        self.events.clear();
        match epoll::wait(&self.set, spare_capacity(&mut self.events), patience.as_ref()) {
            Ok(count) => Ok(count),
            Err(Errno::INTR) => Ok(0),
            Err(error) => Err(error).context("cannot wait for sockets"),
        }
    }

    /// Another descriptor of the same set, for somebody who waits for it as a whole.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd> {
        self.set.try_clone().context("cannot duplicate an epoll set")
    }

    /// The number of the `index`th member that the last [`wait`](Self::wait) found readable.
    pub(crate) fn ready(&self, index: usize) -> u64 {
        self.events[index].data.u64()
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

//! An epoll set whose members are known by a number.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

/// Most events taken from the kernel at once: 12 KiB of them, which stays in the first-level cache.
const EVENTS_MAX: usize = 1024;
/// Number of the timer in the set. Members have theirs from slabs and never get so far.
const TIMER: u64 = u64::MAX - 1;

/// A level-triggered epoll set. Load, floor and both candidate loops share it, so that none of them has
/// a better poller than the others.
pub(crate) struct Poller {
    set: OwnedFd,
    events: Vec<epoll::Event>,
    /// Wakes us on time: the timeout of `epoll_wait` itself counts in milliseconds, which is more than a
    /// delivery takes.
    timer: OwnedFd,
    /// For when the timer is set; it stays readable after that until it is set anew.
    alarm: Option<Instant>,
}

impl Poller {
    /// Makes an empty set.
    pub(crate) fn new() -> Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC).context("cannot create an epoll set")?;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)
            .context("cannot create a timer")?;
        let poller = Poller { set, events: Vec::with_capacity(EVENTS_MAX), timer, alarm: None };
        poller.watch(&poller.timer, TIMER)?;
        Ok(poller)
    }

    /// Watches `member` for readability; it is reported as `number`. Closing it ends that.
    pub(crate) fn watch(&self, member: impl AsFd, number: u64) -> Result<()> {
        epoll::add(&self.set, member, epoll::EventData::new_u64(number), epoll::EventFlags::IN)
            .context("cannot watch a socket")
    }

    /// Waits until a member is readable or it is `until`; without a time, for ever. Returns how many
    /// members are readable: their numbers are in [`ready`](Self::ready).
    pub(crate) fn wait(&mut self, until: Option<Instant>) -> Result<usize> {
        if until != self.alarm {
            self.set_alarm(until)?;
        }
        let count = self.ask(None)?;
        if count > 0 && self.alarm.is_some() {
            self.events.retain(|event| event.data.u64() != TIMER);
        }
        Ok(self.events.len())
    }

    /// Returns how many members are readable now. Not to be mixed with [`wait`](Self::wait) for a time,
    /// whose alarm it would report.
    pub(crate) fn look(&mut self) -> Result<usize> {
        self.ask(Some(&Timespec::default()))
    }

    /// The number of the `index`th member that was found readable.
    pub(crate) fn ready(&self, index: usize) -> u64 {
        self.events[index].data.u64()
    }

    /// Another descriptor of the same set, for somebody who waits for it as a whole.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd> {
        self.set.try_clone().context("cannot duplicate an epoll set")
    }

    fn ask(&mut self, timeout: Option<&Timespec>) -> Result<usize> {
        self.events.clear();
        match epoll::wait(&self.set, spare_capacity(&mut self.events), timeout) {
            Ok(count) => Ok(count),
            Err(Errno::INTR) => Ok(0),
            Err(error) => Err(error).context("cannot wait for sockets"),
        }
    }

    fn set_alarm(&mut self, until: Option<Instant>) -> Result<()> {
        // Zero disarms a timer, so a time that has come already is set a nanosecond ahead.
        let left = until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
        });
        let setting = Itimerspec { it_interval: Timespec::default(), it_value: timespec(left) };
        rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)
            .context("cannot set a timer")?;
        self.alarm = until;
        Ok(())
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[test]
    fn a_readable_member_is_reported_by_its_number_before_its_time() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.watch(&ours, 7).unwrap();
        assert_eq!(poller.look().unwrap(), 0);
        theirs.write_all(b"x").unwrap();
        assert_eq!(poller.wait(Some(far())).unwrap(), 1);
        assert_eq!(poller.ready(0), 7);
    }

    #[test]
    fn a_wait_that_runs_out_of_time_reports_nobody_and_leaves_no_alarm_behind() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.watch(&ours, 7).unwrap();
        let soon = Instant::now() + Duration::from_millis(2);
        assert_eq!(poller.wait(Some(soon)).unwrap(), 0);
        assert!(Instant::now() >= soon);
        assert_eq!(poller.wait(Some(soon)).unwrap(), 0, "a time that has come does not wait");
        theirs.write_all(b"x").unwrap();
        assert_eq!(poller.wait(None).unwrap(), 1);
        assert_eq!(poller.ready(0), 7);
    }
}

//! A shard's own epoll set, for sockets that neither hyper nor tokio knows any more.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::connections::Key;
use super::limits::TURN_EVENTS;

/// Watches sockets, edge-triggered: each is registered once and never touched again until it is closed. Whoever gets
/// an event keeps in mind what it did not use up, because it will not be told again.
#[derive(Debug)]
pub(super) struct Poller {
    epoll: OwnedFd,
}

/// Something happened to a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// The shard's mailbox has letters.
    Mail,
    /// A connection can do more than before.
    Connection {
        key: Key,
        /// There is something to read.
        readable: bool,
        /// The peer has sent its last byte, or the socket is broken: after what there is to read comes the end.
        ended: bool,
        /// A blocked write may go on.
        writable: bool,
    },
}

/// What the mailbox's bell is registered as. No key has this number.
const BELL: u64 = u64::MAX;

impl Poller {
    /// Watches only the bell of a mailbox.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new(bell: BorrowedFd<'_>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, bell, EventData::new_u64(BELL), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll })
    }

    /// Another descriptor of the same set, readable while something has happened.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.epoll.try_clone()
    }

    /// Watches a socket until it is closed.
    ///
    /// # Errors
    /// The system lets a user watch no more descriptors.
    pub(super) fn add(&self, socket: impl AsFd, key: Key) -> io::Result<()> {
        // A writable socket is reported once now, and then only after it was full: that is free.
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(key.number()), interest)?)
    }

    /// Tells what has happened, without waiting, or waiting for as long as a test wants. Whether there may be more.
    ///
    /// # Errors
    /// None that a program can repair.
    pub(super) fn look(&self, patience: Duration, mut tell: impl FnMut(Occurrence)) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); TURN_EVENTS];
        let patience = patience.try_into().ok();
        let events = match epoll::wait(&self.epoll, &mut room, patience.as_ref()) {
            Ok((events, _)) => events,
            Err(rustix::io::Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        for event in &*events {
            tell(occurrence(event.flags, event.data.u64()));
        }
        Ok(events.len() == TURN_EVENTS)
    }
}

fn occurrence(flags: EventFlags, number: u64) -> Occurrence {
    if number == BELL {
        return Occurrence::Mail;
    }
    let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
    Occurrence::Connection {
        key: Key::from_number(number),
        readable: flags.contains(EventFlags::IN) || ended,
        ended,
        writable: flags.contains(EventFlags::OUT) || ended,
    }
}

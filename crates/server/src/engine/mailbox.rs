//! Where a shard's letters wait for its next turn: bounded, and never in a sender's way.

mod holes;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::letter::Letter;
use super::limits::MAILBOX_BYTES_MAX;
use holes::Holes;

/// One shard's mailbox. Senders hold its lock for as long as it takes to append; the shard takes everything at once.
///
/// What happens when it is [full](MAILBOX_BYTES_MAX): publications are dropped, but of each channel the latest is
/// kept and arrives behind the others, so that the hub sees by its offset that some are missing. Publishes are given
/// back to the sender, to be refused. Everything else is taken: answers and control letters are owed, and bounded by
/// what was asked.
#[derive(Debug)]
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    /// Rings when the first letter falls into an empty inbox. Nobody reads it: an edge-triggered poller sees each
    /// ring without that.
    bell: OwnedFd,
}

#[derive(Debug, Default)]
struct Inbox {
    letters: Vec<Letter>,
    bytes: usize,
    holes: Holes,
    closed: bool,
}

/// Why a letter was not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// The shard has more than it can do. The letter is given back.
    Full(Letter),
    /// The shard has ended.
    Closed,
}

impl Mailbox {
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { inbox: Mutex::default(), bell })
    }

    /// What a poller is to watch, edge-triggered.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Puts one letter in.
    ///
    /// # Errors
    /// [`NotTaken::Full`] for letters that [publish](Letter::publishes), [`NotTaken::Closed`] for all.
    pub(super) fn put(&self, letter: Letter) -> Result<(), NotTaken> {
        let mut inbox = self.lock();
        let was_empty = inbox.letters.is_empty();
        inbox.put(letter)?;
        drop(inbox);
        if was_empty {
            self.ring();
        }
        Ok(())
    }

    /// Puts all letters in, in their order and under one lock. Those that publish come back in `refused` when the
    /// mailbox is full; a shard that has ended takes none.
    pub(super) fn put_all(&self, letters: &mut Vec<Letter>, refused: &mut Vec<Letter>) {
        let mut inbox = self.lock();
        let was_empty = inbox.letters.is_empty();
        for letter in letters.drain(..) {
            if let Err(NotTaken::Full(letter)) = inbox.put(letter) {
                refused.push(letter);
            }
        }
        let ring = was_empty && !inbox.letters.is_empty();
        drop(inbox);
        if ring {
            self.ring();
        }
    }

    /// Takes everything out, into `letters`, which must be empty. Returns how many publications were dropped.
    pub(super) fn take(&self, letters: &mut Vec<Letter>) -> u64 {
        debug_assert!(letters.is_empty());
        let mut inbox = self.lock();
        std::mem::swap(&mut inbox.letters, letters);
        inbox.bytes = 0;
        let holes = std::mem::take(&mut inbox.holes);
        drop(inbox);
        let dropped = holes.dropped();
        letters.extend(holes.into_letters());
        dropped
    }

    /// Takes no more letters, and forgets those that are in: their senders see their way back closed.
    pub(super) fn close(&self) {
        let mut inbox = self.lock();
        let letters = std::mem::take(&mut *inbox);
        inbox.closed = true;
        drop(inbox);
        drop(letters);
    }

    /// How many letters wait, and about how many bytes they hold.
    pub(super) fn depth(&self) -> (usize, usize) {
        let inbox = self.lock();
        (inbox.letters.len(), inbox.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        // Nothing in here can fail half-way; a shard that panicked elsewhere must not take the others with it.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // The only failure would be a counter at 2^64, and then it is ringing anyway.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl Inbox {
    fn put(&mut self, letter: Letter) -> Result<(), NotTaken> {
        if self.closed {
            return Err(NotTaken::Closed);
        }
        // Once one publication was dropped, later ones must not overtake the one that is kept in its place.
        if self.bytes > MAILBOX_BYTES_MAX || self.holes.dropped() > 0 {
            if letter.publishes() {
                return Err(NotTaken::Full(letter));
            }
            if letter.publication().is_some() {
                self.holes.keep_latest(letter);
                return Ok(());
            }
        }
        self.bytes += letter.weight();
        self.letters.push(letter);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

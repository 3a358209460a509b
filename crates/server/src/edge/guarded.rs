//! A connection of which no request is read that could be read in two ways.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::framing::{Ambiguity, Framing};

/// How much is read at a time while it is followed.
const READ_BYTES: usize = 4096;

/// No byte of a head, whatever is before it: a parser that reads it refuses the request.
const POISON: u8 = 0;

/// Reads and writes what is below it, up to the byte that makes a request ambiguous.
///
/// That byte is replaced by one that cannot be there, and it is the last one: so the parser answers 400 behind what it
/// has answered before, and closes, as for any other head that is none.
pub(super) struct Guarded<'a, S> {
    below: S,
    framing: Framing,
    found: &'a Cell<Option<Ambiguity>>,
}

impl<'a, S> Guarded<'a, S> {
    /// `found` is told what was ambiguous.
    pub(super) fn new(below: S, found: &'a Cell<Option<Ambiguity>>) -> Self {
        Self { below, framing: Framing::default(), found }
    }

    pub(super) fn into_inner(self) -> S {
        self.below
    }
}

impl<S: Read + Unpin> Read for Guarded<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.found.get().is_some() {
            return Poll::Ready(Ok(()));
        }
        if self.framing.is_beyond() {
            return Pin::new(&mut self.below).poll_read(cx, into);
        }
        let mut scratch = [0; READ_BYTES];
        let room = into.remaining().min(READ_BYTES);
        let mut read = ReadBuf::new(&mut scratch[..room]);
        ready!(Pin::new(&mut self.below).poll_read(cx, read.unfilled()))?;
        match self.framing.follow(read.filled()) {
            Ok(()) => into.put_slice(read.filled()),
            Err((before, ambiguity)) => {
                self.found.set(Some(ambiguity));
                into.put_slice(&read.filled()[..before]);
                into.put_slice(&[POISON]);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Write + Unpin> Write for Guarded<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.below).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.below).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.below.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_shutdown(cx)
    }
}

//! TLS over a socket that never blocks, without a task and without a buffer of our own.

use std::fmt;
use std::io::{self, IoSlice, Read as _, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendAncillaryBuffer, recv, send, sendmsg};
use rustls::ServerConnection;

use super::{FLAGS, Received, Sent};
use crate::engine::limits::{READ_BYTES, TLS_RECORD_BYTES_MAX, TLS_UNSENT_BYTES_MAX};

/// A socket and the TLS connection over it.
pub struct TlsLink {
    socket: OwnedFd,
    tls: ServerConnection,
    /// The peer has said by `close_notify` that nothing more will come (RFC 8446, section 6.1).
    ended: bool,
}

impl TlsLink {
    /// Takes over after the handshake; and what was deciphered already.
    pub(super) fn new(socket: OwnedFd, mut tls: ServerConnection) -> (Self, Vec<u8>) {
        tls.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
        let mut deciphered = Vec::new();
        // It ends where there is nothing more to take, which is no error of anybody's. Not taking it is what would be
        // wrong: no poller tells of what has left the socket.
        let ended = tls.reader().read_to_end(&mut deciphered).is_ok();
        (Self { socket, tls, ended }, deciphered)
    }

    /// Reads once from the socket, and deciphers all of that which is whole. Cipher and plain text share the
    /// scratch: what was read lies behind room for one record, and a record never grows by being deciphered, so
    /// that the plain text follows the cipher text from the front and cannot catch up with it. Thus none stays
    /// behind in TLS, where no poller would tell of it.
    pub(super) fn receive(&mut self, scratch: &mut [u8]) -> Received {
        if self.ended {
            return Received::End;
        }
        let mut next = TLS_RECORD_BYTES_MAX;
        let end = match retry_on_intr(|| recv(&self.socket, &mut scratch[next..], RecvFlags::DONTWAIT)) {
            Ok((0, _)) => return Received::End,
            Ok((count, _)) => next + count,
            Err(Errno::AGAIN) => return Received::Nothing,
            Err(_) => return Received::End,
        };
        let mut count = 0;
        while next < end && !self.ended {
            match self.decipher(scratch, next..end, count) {
                Ok((taken, plain)) => {
                    next += taken;
                    count += plain;
                }
                Err(_) => {
                    // The alert that says what was wrong; if it does not leave, the end of the connection says it.
                    let _ = self.flush();
                    return Received::Forged;
                }
            }
        }
        Received::Bytes { count, more: end == READ_BYTES || self.ended }
    }

    /// Deciphers from the front of `sealed` into the scratch from `plain` on. Returns how many bytes were taken, and
    /// how many came of it.
    fn decipher(
        &mut self,
        scratch: &mut [u8],
        sealed: std::ops::Range<usize>,
        plain: usize,
    ) -> io::Result<(usize, usize)> {
        let taken = self.tls.read_tls(&mut &scratch[sealed.clone()])?;
        let state = self.tls.process_new_packets().map_err(io::Error::other)?;
        self.ended = state.peer_has_closed();
        let room = &mut scratch[plain..sealed.start + taken];
        let count = match state.plaintext_bytes_to_read() {
            0 => 0,
            _ => self.tls.reader().read(room)?,
        };
        debug_assert_eq!(count, state.plaintext_bytes_to_read(), "plain text stays behind");
        Ok((taken, count))
    }

    /// Enciphers and writes until everything is taken or the socket is full. What was enciphered and does not fit
    /// the socket waits here, at most [`TLS_UNSENT_BYTES_MAX`] of it.
    pub(super) fn send(&mut self, mut slices: &mut [IoSlice<'_>]) -> Result<Sent, Errno> {
        let mut sent = Sent::default();
        loop {
            sent.moved |= self.flush()?;
            sent.blocked = self.has_unsent();
            if sent.blocked || slices.is_empty() {
                return Ok(sent);
            }
            let taken = self.tls.writer().write_vectored(slices).map_err(errno)?;
            IoSlice::advance_slices(&mut slices, taken);
            sent.taken += taken;
        }
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.tls.wants_write()
    }

    /// Says by `close_notify` that nothing more will come, so that the peer can tell the end from a cut.
    pub(super) fn take_leave(&mut self) -> Result<(), Errno> {
        self.tls.send_close_notify();
        self.flush()?;
        if self.has_unsent() { Err(Errno::AGAIN) } else { Ok(()) }
    }

    /// Writes what is enciphered, as far as the socket takes it. Whether it took anything.
    fn flush(&mut self) -> Result<bool, Errno> {
        let mut moved = false;
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Socket(&self.socket)) {
                Ok(count) => moved |= count > 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(errno(error)),
            }
        }
        Ok(moved)
    }
}

impl AsFd for TlsLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Keys are not for logs.
impl fmt::Debug for TlsLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsLink")
            .field("socket", &self.socket)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The socket as what TLS writes to.
struct Socket<'a>(&'a OwnedFd);

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| send(self.0, bytes, FLAGS))?)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [slice] => self.write(slice),
            _ => Ok(retry_on_intr(|| sendmsg(self.0, slices, &mut SendAncillaryBuffer::default(), FLAGS))?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

//! What carries a WebSocket's bytes: a bare socket, or TLS over one.

mod tls;

use std::io::IoSlice;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::Bytes;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown};
use rustls::ServerConnection;

use self::tls::TlsLink;

const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// A socket in non-blocking mode, bare or under TLS. It keeps nothing that could be in a scratch of the shard's.
#[derive(Debug)]
pub enum Link {
    /// Bytes go as they are.
    Plain(OwnedFd),
    /// Bytes go through TLS. In a box, so that whoever has none does not pay for it.
    Tls(Box<TlsLink>),
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// So many bytes lie at the front of the scratch; there may be none, if TLS had something of its own to say.
    Bytes {
        count: usize,
        /// Whether another read may bring more. If not, the poller tells when there is.
        more: bool,
    },
    /// Nothing has arrived.
    Nothing,
    /// The peer has sent its last byte, or the socket is broken.
    End,
    /// What came is not TLS, or not from the peer that shook hands.
    Forged,
}

/// What a write came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes that will not be offered again.
    pub(super) taken: usize,
    /// Whether the socket took anything at all: the peer lives, and reads.
    pub(super) moved: bool,
    /// Whether the socket is full; the poller tells when it is not.
    pub(super) blocked: bool,
}

impl Link {
    /// A socket without TLS. It must be in non-blocking mode and registered with no poller.
    pub fn plain(socket: impl Into<OwnedFd>) -> Self {
        Self::Plain(socket.into())
    }

    /// A socket and the TLS connection over it, whose handshake is done; and what TLS has deciphered already.
    pub fn tls(socket: TcpStream, connection: ServerConnection) -> (Self, Bytes) {
        let (link, deciphered) = TlsLink::new(socket.into(), connection);
        (Self::Tls(Box::new(link)), deciphered.into())
    }

    /// Reads once, into the front of the scratch, of [`READ_BYTES`](super::limits::READ_BYTES).
    #[inline]
    pub(super) fn receive(&mut self, scratch: &mut [u8]) -> Received {
        match self {
            Self::Plain(socket) => match retry_on_intr(|| recv(&*socket, &mut *scratch, RecvFlags::DONTWAIT))
            {
                Ok((0, _)) => Received::End,
                Ok((count, _)) => Received::Bytes { count, more: count == scratch.len() },
                Err(Errno::AGAIN) => Received::Nothing,
                Err(_) => Received::End,
            },
            Self::Tls(link) => link.receive(scratch),
        }
    }

    /// Writes once, after what is left of earlier writes.
    ///
    /// # Errors
    /// The socket is broken.
    #[inline]
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<Sent, Errno> {
        match self {
            // A plain send is the cheapest call there is.
            Self::Plain(socket) => sent(retry_on_intr(|| send(&*socket, bytes, FLAGS)), bytes.len()),
            Self::Tls(link) => link.send(&mut [IoSlice::new(bytes)]),
        }
    }

    /// The same from many places.
    ///
    /// # Errors
    /// The socket is broken.
    pub(super) fn send_gathered(&mut self, slices: &mut [IoSlice<'_>]) -> Result<Sent, Errno> {
        match self {
            Self::Plain(socket) => {
                let size = slices.iter().map(|slice| slice.len()).sum();
                let mut nothing = SendAncillaryBuffer::default();
                sent(retry_on_intr(|| sendmsg(&*socket, slices, &mut nothing, FLAGS)), size)
            }
            Self::Tls(link) => link.send(slices),
        }
    }

    /// Whether bytes that were taken wait here for the socket.
    #[inline]
    pub(super) fn has_unsent(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(link) => link.has_unsent(),
        }
    }

    /// Says that nothing more will come from us, and goes on receiving.
    ///
    /// # Errors
    /// The socket is broken, or does not take the last word.
    pub(super) fn finish(&mut self) -> Result<(), Errno> {
        self.take_leave()?;
        shutdown(&*self, Shutdown::Write)
    }

    /// The last word before the socket is closed, as far as it takes it.
    ///
    /// # Errors
    /// The socket is broken, or full.
    pub(super) fn take_leave(&mut self) -> Result<(), Errno> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(link) => link.take_leave(),
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(socket) => socket.as_fd(),
            Self::Tls(link) => link.as_fd(),
        }
    }
}

#[inline]
fn sent(outcome: Result<usize, Errno>, size: usize) -> Result<Sent, Errno> {
    match outcome {
        Ok(taken) => Ok(Sent { taken, moved: taken > 0, blocked: taken < size }),
        Err(Errno::AGAIN) => Ok(Sent { taken: 0, moved: false, blocked: true }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;

//! A socket that gives up on a peer who does not read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until};

use super::stream::Stream;

/// Reads and writes a connection; a write that the peer blocks for too long fails.
///
/// Answers are small, so somebody who never reads blocks none until the kernel's buffers are full, and then holds a
/// connection for nothing. HTTP itself has limits for reading only.
pub(super) struct Patient {
    /// What was read before, and comes first.
    ahead: Bytes,
    socket: TokioIo<Stream>,
    patience: Duration,
    /// Runs while a write is blocked, so that nobody else pays for it.
    blocked: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Reads `ahead` before anything of the socket.
    pub(super) fn new(ahead: Bytes, socket: Stream, patience: Duration) -> Self {
        Self { ahead, socket: TokioIo::new(socket), patience, blocked: None }
    }

    /// The socket, and what was read ahead and not taken.
    pub(super) fn into_parts(self) -> (Stream, Bytes) {
        (self.socket.into_inner(), self.ahead)
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.blocked = None;
            return progress;
        }
        let deadline = Instant::now() + self.patience;
        let blocked = self.blocked.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        match blocked.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Read for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(into.remaining());
            into.put_slice(&self.ahead[..count]);
            self.ahead.advance(count);
            if self.ahead.is_empty() {
                self.ahead = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_read(cx, into)
    }
}

impl Write for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wait(cx, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.wait(cx, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS has taken what it was given before the socket has.
        let progress = Pin::new(&mut self.socket).poll_flush(cx);
        self.wait(cx, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test(start_paused = true)]
    async fn a_peer_who_never_reads_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (near, _far) = (near.unwrap(), far.unwrap());
        let mut patient = Patient::new(Bytes::new(), Stream::Plain(near), Duration::from_secs(10));
        let chunk = vec![0; 1 << 20];
        let error = loop {
            if let Err(error) = poll_fn(|cx| Pin::new(&mut patient).poll_write(cx, &chunk)).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

//! What HTTP is spoken over: a TCP connection, bare or under TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::limits::FAREWELL_BYTES_MAX;
use crate::engine::Link;

/// A connection, for as long as it speaks HTTP.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Says that nothing more will come, over TLS too, where a peer can tell the end from a cut by that (RFC 8446,
    /// section 6.1); and hears out a peer that still speaks. What is not read when a socket is closed has the peer's system
    /// report a reset connection, and forget our last words (RFC 9112, section 9.6).
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) async fn take_leave(mut self) -> io::Result<()> {
        self.shutdown().await?;
        tokio::io::copy(&mut self.take(FAREWELL_BYTES_MAX), &mut tokio::io::sink()).await.map(drop)
    }

    /// Takes the connection out of the hands of the runtime; with it comes what TLS has deciphered and HTTP has not
    /// taken.
    ///
    /// # Errors
    /// The socket is broken already.
    pub(super) fn into_link(self) -> io::Result<(Link, Bytes)> {
        match self {
            Self::Plain(stream) => Ok((Link::plain(stream.into_std()?), Bytes::new())),
            Self::Tls(stream) => {
                let (stream, tls) = stream.into_inner();
                Ok(Link::tls(stream.into_std()?, tls))
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

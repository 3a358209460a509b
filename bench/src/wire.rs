//! What a client's bytes go over: a socket that does not block, bare or under TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// Longest that a socket may take no more of what a client sends.
const SENDING_MAX: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// A connection to a subject.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    /// Bytes that came by TCP, without those of a handshake of TLS.
    pub(crate) received: u64,
    /// Bytes that went by TCP, likewise.
    pub(crate) sent: u64,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// Shakes hands if TLS is spoken, which blocks, and then never blocks again.
    pub(crate) fn new(mut stream: TcpStream, tls: Option<&Arc<ClientConfig>>) -> Result<Wire> {
        let Some(config) = tls else {
            stream.set_nonblocking(true)?;
            return Ok(Wire { stream, received: 0, sent: 0, tls: None });
        };
        let mut tls = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).context("a TLS handshake failed")?;
        }
        stream.set_nonblocking(true)?;
        Ok(Wire { stream, received: 0, sent: 0, tls: Some(Box::new(tls)) })
    }

    /// Reads once from the socket, and takes all that came of it.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            let count = self.stream.read(into)?;
            self.received += count as u64;
            return Ok(count);
        };
        let count = tls.read_tls(&mut self.stream)?;
        self.received += count as u64;
        if count == 0 {
            return Ok(0);
        }
        tls.process_new_packets().map_err(io::Error::other)?;
        tls.reader().read(into)
    }

    /// Sends everything, and waits where the socket's buffer is full until the server has read from it.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let taken = match &mut self.tls {
                None => self.stream.write(bytes).inspect(|count| self.sent += *count as u64),
                Some(tls) => tls.writer().write(bytes),
            };
            match taken {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => await_room(&self.stream)?,
                Err(error) => return Err(error.into()),
            }
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(count) => self.sent += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => await_room(&self.stream)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn await_room(stream: &TcpStream) -> Result<()> {
    let mut room = [PollFd::new(stream, PollFlags::OUT)];
    ensure!(rustix::event::poll(&mut room, Some(&SENDING_MAX))? > 0, "its socket stays full");
    Ok(())
}

//! What a line's bytes go over: a socket that never blocks, bare or under TLS.

use std::io::{self, Read as _, Write};
use std::net::SocketAddr;

use rustls::ClientConnection;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use super::Target;

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Wire {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// Connects, and shakes hands if TLS is spoken.
    pub(super) async fn connect(target: &Target, receive_bytes: Option<u32>) -> io::Result<Self> {
        let mut socket = dial(target.address, receive_bytes).await?;
        let mut tls = target.trust.connection(&target.name).map_err(io::Error::other)?.map(Box::new);
        if let Some(tls) = &mut tls {
            shake_hands(&mut socket, tls).await?;
        }
        Ok(Self { socket, tls })
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Waits until there may be something to read; or, if more is to be written, until that may go on.
    pub(super) async fn ready(&self, more_to_write: bool) -> io::Result<()> {
        let unsent = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        let interest = match more_to_write || unsent {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        self.socket.ready(interest).await.map(|_| ())
    }

    /// Reads what is there; `WouldBlock` if that is nothing. The end is an error, or nothing at all.
    pub(super) fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.try_read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => step(&self.socket, tls)?,
                read => return read,
            }
        }
    }

    /// Writes what the socket takes.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.try_write(bytes) };
        let taken = tls.writer().write(bytes)?;
        flush(&self.socket, tls)?;
        Ok(taken)
    }
}

async fn shake_hands(socket: &mut TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    while tls.is_handshaking() {
        match step(socket, tls) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.readable().await?,
            step => step?,
        }
    }
    flush(socket, tls)
}

/// Has TLS say what it has to say, and hear what has come.
fn step(socket: &TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    flush(socket, tls)?;
    if tls.read_tls(&mut Socket(socket))? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    tls.process_new_packets().map_err(io::Error::other)?;
    Ok(())
}

fn flush(socket: &TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(&mut Socket(socket)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn dial(address: SocketAddr, receive_bytes: Option<u32>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The socket as what TLS reads from and writes to.
struct Socket<'a>(&'a TcpStream);

impl io::Read for Socket<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(into)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

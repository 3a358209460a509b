//! A connection to a server, bare or under TLS.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use super::trust::Trust;
use super::url::Server;
use super::{Exit, Failure};

/// How long each of a server's addresses may take to answer, and then to shake hands.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a command speaks over.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Connects to the first of the server's addresses that answers, and shakes hands if TLS is spoken.
pub(super) fn connect(server: &Server, trust: &Trust) -> Result<Stream, Failure> {
    let socket = dial(server)?;
    let lost = |error: io::Error| Failure::new(Exit::Unavailable, format!("{}: {error}", server.authority()));
    let distrust = |error: rustls::Error| distrust(server, &error);
    let Some(mut tls) = trust.connection(&server.host).map_err(distrust)? else {
        return Ok(Stream::Plain(socket));
    };
    socket.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
    while tls.is_handshaking() {
        let mut socket = &socket;
        tls.complete_io(&mut socket).map_err(|error| match error.downcast::<rustls::Error>() {
            Ok(error) => distrust(error),
            Err(error) => lost(error),
        })?;
    }
    socket.set_read_timeout(None).map_err(lost)?;
    Ok(Stream::Tls(Box::new(StreamOwned::new(tls, socket))))
}

fn dial(server: &Server) -> Result<TcpStream, Failure> {
    let place = server.authority();
    let addresses = (server.host.as_str(), server.port)
        .to_socket_addrs()
        .map_err(|error| Failure::new(Exit::Unavailable, format!("{place}: {error}")))?;
    let mut trouble = "no such host".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => trouble = error.to_string(),
        }
    }
    let failure = Failure::new(Exit::Unavailable, format!("nobody answers at {place}: {trouble}"));
    Err(match server.is_local() {
        true => failure.fix("start a server with: spanwire"),
        false => failure,
    })
}

fn distrust(server: &Server, error: &rustls::Error) -> Failure {
    let failure = Failure::new(Exit::Denied, format!("{} cannot be trusted: {error}", server.authority()));
    match error {
        rustls::Error::InvalidCertificate(_) => {
            failure.fix("if the server is yours, name the authority of its certificate with --ca-file")
        }
        rustls::Error::InvalidMessage(_) => failure.fix("if it speaks no TLS, write http:// or ws://"),
        _ => failure,
    }
}

impl Stream {
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

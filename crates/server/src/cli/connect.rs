//! A TCP connection to a server.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::url::Server;
use super::{Exit, Failure};

/// How long each of a server's addresses may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects to the first of the server's addresses that answers.
pub(super) fn connect(server: &Server) -> Result<TcpStream, Failure> {
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

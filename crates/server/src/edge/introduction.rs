//! Who a TCP proxy says that it brings.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::proxy_protocol::{FIXED_BYTES, LINE_BYTES_MAX, Origin, Progress, REST_BYTES_MAX, parse};

/// Reads the PROXY protocol header of a connection, and no byte of what follows it.
///
/// # Errors
/// Why the connection cannot be served, by its name in the metrics.
pub(super) async fn introduction(
    stream: &mut TcpStream,
    peer: SocketAddr,
    patience: Duration,
) -> Result<SocketAddr, &'static str> {
    let deadline = Instant::now() + patience;
    let mut header = Vec::with_capacity(LINE_BYTES_MAX);
    loop {
        match parse(&header) {
            Ok(Progress::Done(Origin::Client(client))) => return Ok(client),
            Ok(Progress::Done(Origin::Proxy)) => return Ok(peer),
            Ok(Progress::More(more)) => {
                let start = header.len();
                debug_assert!(start + more <= FIXED_BYTES + REST_BYTES_MAX);
                header.resize(start + more, 0);
                match timeout_at(deadline, stream.read_exact(&mut header[start..])).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) => return Err("connection_lost"),
                    Err(_) => return Err("timeout"),
                }
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "a connection of a trusted proxy is closed");
                return Err("proxy_header");
            }
        }
    }
}

//! TCP, and TLS over it.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Way;
use crate::event::Ended;

/// What bytes travel over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects to the first of the server's addresses that answers, and shakes hands if TLS is spoken.
pub(super) async fn dial(way: &Way) -> Result<Box<dyn Stream>, Ended> {
    let (host, port) = (way.address.host.as_str(), way.address.port);
    let unreachable = |error: io::Error| {
        Ended::new(Ended::UNREACHABLE, format!("nobody answers at {}: {error}", way.address.authority))
    };
    let socket = TcpStream::connect((host, port)).await.map_err(unreachable)?;
    // Frames are gathered before they are written, so that waiting for more would only cost time.
    socket.set_nodelay(true).map_err(unreachable)?;
    if !way.address.secure {
        return Ok(Box::new(socket));
    }
    let distrust = |error: io::Error| {
        Ended::new(Ended::DISTRUSTED, format!("{} cannot be trusted: {error}", way.address.authority))
    };
    Ok(way.trust.shake_hands(host, socket).await.map_err(distrust)?)
}

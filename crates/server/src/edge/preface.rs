//! Which HTTP a client speaks that nobody has asked: its first bytes tell.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;

/// What HTTP/2 begins with when it is spoken with prior knowledge (RFC 9113 section 3.4). No request of HTTP/1 does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is read at first: the whole head of a usual handshake, so that looking costs no read of its own.
const FIRST_READ_BYTES: usize = 1 << 10;

/// A version of HTTP, as far as it changes how bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// Reads until the version is certain. What was read comes with it, and is still to be looked at.
///
/// # Errors
/// The connection is broken.
pub(super) async fn read(stream: &TcpStream) -> io::Result<(Version, Bytes)> {
    let mut bytes = BytesMut::with_capacity(FIRST_READ_BYTES);
    loop {
        stream.readable().await?;
        let is_over = match stream.try_read_buf(&mut bytes) {
            Ok(count) => count == 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        match version(&bytes) {
            Some(version) => return Ok((version, bytes.freeze())),
            // Whoever reads on finds the end too, and knows what it means.
            None if is_over => return Ok((Version::One, bytes.freeze())),
            None => {}
        }
    }
}

/// The version that begins like this; `None` while it may be either.
fn version(bytes: &[u8]) -> Option<Version> {
    if bytes.starts_with(PREFACE) {
        Some(Version::Two)
    } else if PREFACE.starts_with(bytes) {
        None
    } else {
        Some(Version::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_certain_as_soon_as_it_can_be_and_no_sooner() {
        for cut in 0..PREFACE.len() {
            assert_eq!(version(&PREFACE[..cut]), None, "{cut} bytes");
            let other = [&PREFACE[..cut], b"\x01"].concat();
            assert_eq!(version(&other), Some(Version::One), "another byte after {cut}");
        }
        assert_eq!(version(PREFACE), Some(Version::Two));
        assert_eq!(version(&[PREFACE, b"\0\0\0\x04"].concat()), Some(Version::Two));
        assert_eq!(version(b"POST /api/publish HTTP/1.1\r\n"), Some(Version::One));
    }
}

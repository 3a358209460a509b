//! As much of HTTP/1.1 as a proxy in the way has to know: where a request's head ends, and whether it wants to upgrade.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Largest head, in bytes. The server itself takes no more.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The head of a request, and what was read behind it.
#[derive(Debug)]
pub(super) struct Head {
    text: String,
    behind: Vec<u8>,
}

impl Head {
    /// Reads until the empty line that ends the head (RFC 9112, section 2.1).
    ///
    /// # Errors
    /// The connection ended before, the head is too large, or it is no text.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let behind = bytes.split_off(end + 4);
                let text = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
                return Ok(Self { text, behind });
            }
            if bytes.len() > HEAD_BYTES_MAX || from.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// Whether the client wants to speak something else from here on (RFC 9110, section 7.8).
    pub(super) fn is_upgrade(&self) -> bool {
        self.fields().any(|line| is_field(line, "upgrade"))
    }

    /// Whether it is for the line itself. Obstacles must not be in the way of who takes them away.
    pub(super) fn is_order(&self) -> bool {
        self.text.split(' ').nth(1).is_some_and(|path| path.starts_with("/dev/proxy"))
    }

    /// What to send on. Except for an upgrade, that is one request for one connection, so that the next request shows
    /// its head as well (RFC 9112, section 9.6).
    pub(super) fn onward(&self) -> Vec<u8> {
        let mut onward = Vec::new();
        if self.is_upgrade() {
            onward.extend_from_slice(self.text.as_bytes());
        } else {
            let first = self.text.lines().next().unwrap_or_default();
            let others = self.fields().filter(|line| !is_field(line, "connection"));
            for line in std::iter::once(first).chain(others).chain(["Connection: close", ""]) {
                onward.extend_from_slice(line.as_bytes());
                onward.extend_from_slice(b"\r\n");
            }
        }
        onward.extend_from_slice(&self.behind);
        onward
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        self.text.split("\r\n").skip(1).filter(|line| !line.is_empty())
    }
}

fn is_field(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn head(mut bytes: &[u8]) -> io::Result<Head> {
        Head::read(&mut bytes).await
    }

    #[tokio::test]
    async fn a_request_goes_on_as_the_only_one_of_its_connection() {
        let request = b"POST /a HTTP/1.1\r\nHost: x\r\nconnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi";
        let head = head(request).await.unwrap();
        assert!(!head.is_upgrade());
        let expected = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        assert_eq!(head.onward(), expected);
    }

    #[tokio::test]
    async fn an_upgrade_is_recognized_and_goes_on_as_it_is() {
        let request = b"GET /c HTTP/1.1\r\nConnection: Upgrade\r\nUPGRADE: websocket\r\n\r\n\x81\x00";
        let head = head(request).await.unwrap();
        assert!(head.is_upgrade());
        assert_eq!(head.onward(), request);
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_not_waited_for() {
        assert!(head(b"GET / HTTP/1.1\r\nHost: x\r\n").await.is_err());
        assert!(head(&vec![b'a'; 2 * HEAD_BYTES_MAX]).await.is_err());
    }
}

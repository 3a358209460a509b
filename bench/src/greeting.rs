//! The opening handshake of RFC 6455 section 4, for one fixed key.
//!
//! The key and its answer are the example of section 1.3. One key is enough for a load, and lets the
//! floor answer without computing a digest.

/// Longest answer to an upgrade request that we read, in bytes.
pub(crate) const ANSWER_MAX: usize = 8192;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request that opens a WebSocket at `path`, on which messages may be compressed or not.
pub(crate) fn request(path: &str, compressed: bool) -> String {
    let offer = if compressed { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}\r\n"
    )
}

/// The answer that accepts [`request`].
pub(crate) fn acceptance() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
}

/// Where the head of a request or answer ends; none while it is not whole.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Whether `head` accepts [`request`].
pub(crate) fn accepts(head: &[u8]) -> bool {
    head.starts_with(b"HTTP/1.1 101 ") && memchr::memmem::find(head, ACCEPT.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_acceptance_is_accepted_and_a_refusal_is_not() {
        let answer = acceptance();
        assert_eq!(head_end(answer.as_bytes()), Some(answer.len()));
        assert!(accepts(answer.as_bytes()));
        assert!(!accepts(b"HTTP/1.1 403 Forbidden\r\n\r\n"));
        assert!(!accepts(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: other\r\n\r\n"));
    }
}

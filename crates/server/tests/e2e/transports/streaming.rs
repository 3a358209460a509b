//! HTTP responses that come in chunks (RFC 9112, section 7.1), read as slowly as a scene likes.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::carrier::narrow;
use crate::support::until::within;

/// A response that goes on.
pub(crate) struct Streaming {
    stream: BufReader<TcpStream>,
    pub(crate) head: String,
}

impl Streaming {
    pub(crate) async fn post(address: SocketAddr, path: &str, content_type: &str, body: &[u8]) -> Self {
        Self::ask(address, &request_head("POST", path, address, content_type, body.len()), body).await
    }

    pub(crate) async fn get(address: SocketAddr, path: &str) -> Self {
        Self::ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"), b"").await
    }

    async fn ask(address: SocketAddr, head: &str, body: &[u8]) -> Self {
        let mut stream = BufReader::with_capacity(4 << 10, narrow(address).await);
        stream.write_all(&[head.as_bytes(), body].concat()).await.expect("the server reads");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = within("a response", stream.read_line(&mut head)).await.expect("a head is text");
            assert!(read > 0, "the server hung up after {head:?}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Self { stream, head }
    }

    /// The next chunk; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        self.stream.read_line(&mut size).await.ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }
}

/// Posts a body, and reads the status and body of the answer.
pub(crate) async fn post(address: SocketAddr, path: &str, content_type: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = within("a connection", TcpStream::connect(address)).await.expect("the server accepts");
    let head = request_head("POST", path, address, content_type, body.len());
    let head = head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await.expect("the server reads");
    let mut answer = Vec::new();
    // The other side may have hung up already: what it has said counts.
    let _ = within("an answer", stream.read_to_end(&mut answer)).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    let text = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, answer.split_off(end + 4))
}

/// The head of a request with a body.
pub(crate) fn request_head(
    method: &str,
    path: &str,
    address: SocketAddr,
    content_type: &str,
    length: usize,
) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

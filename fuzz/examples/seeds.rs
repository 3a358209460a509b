//! Writes the seeds of the WebSocket targets: `cargo run -p spanwire-fuzz --example seeds`.
//!
//! The frames come from the table that the tests of `spanwire-ws` play, so that each vector there is a place for
//! the fuzzer to start from.

#[path = "../../crates/ws/tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::{fs, io};

use spanwire_ws::Role;

/// Longer vectors show lengths, which short ones show too; a fuzzer wants short ones.
const SEED_BYTES_MAX: usize = 2048;

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for vector in common::vectors() {
        if vector.wire.len() <= SEED_BYTES_MAX {
            // Our side and small limits or not, and where to cut; see `frames`.
            let settings = u8::from(vector.role == Role::Client);
            write(
                &corpus.join("frames").join(vector.name),
                &[&[settings, 5], vector.wire.as_slice()].concat(),
            )?;
        }
    }
    for (name, head) in heads() {
        write(&corpus.join("handshake").join(name), head.as_bytes())?;
    }
    Ok(())
}

fn heads() -> Vec<(&'static str, String)> {
    vec![
        ("request", format!("{REQUEST}\r\n")),
        ("request-then-a-frame", format!("{REQUEST}\r\n\x01\x02hi")),
        ("request-cut", REQUEST[..REQUEST.len() / 2].to_owned()),
        ("request-with-origin", format!("{REQUEST}Origin: https://example.com\r\n\r\n")),
        ("request-with-subprotocols", format!("{REQUEST}Sec-WebSocket-Protocol: b, a\r\n\r\n")),
        ("request-with-an-empty-subprotocol", format!("{REQUEST}Sec-WebSocket-Protocol: \r\n\r\n")),
        ("request-with-deflate", format!("{REQUEST}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")),
        ("request-with-a-body", format!("{REQUEST}Content-Length: 5\r\n\r\nhello")),
        ("request-too-long", format!("{REQUEST}Cookie: {}\r\n\r\n", "a".repeat(1024))),
        ("request-with-too-many-lines", format!("{REQUEST}{}\r\n", "X: y\r\n".repeat(20))),
        ("request-of-http-1-0", "GET / HTTP/1.0\r\n\r\n".to_owned()),
        ("request-by-post", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("not-http", "\x16\x03\x01 is how TLS begins".to_owned()),
        ("answer", format!("{ANSWER}\r\n")),
        ("answer-then-a-frame", format!("{ANSWER}\r\n\x01\x02hi")),
        ("answer-with-a-subprotocol", format!("{ANSWER}Sec-WebSocket-Protocol: a\r\n\r\n")),
        ("answer-of-refusal", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()),
    ]
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, bytes)
}

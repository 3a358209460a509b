//! Writing JSON into which payloads are spliced byte for byte.

use std::io;

use memchr::memchr2_iter;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Appends a message, or any value of which it is made, as compact JSON.
pub(crate) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    value
        .serialize(&mut Serializer::with_formatter(out, Splice))
        .expect("a Vec takes every byte, and the messages hold nothing that JSON cannot say");
}

/// Appends a payload.
pub(crate) fn splice(out: &mut Vec<u8>, payload: &[u8]) {
    pieces(payload).for_each(|piece| out.extend_from_slice(piece));
}

/// Appends the name of an object's next member, and what stands before the name and after it.
pub(crate) fn member(out: &mut Vec<u8>, name: &str) {
    let first = out.ends_with(b"{");
    out.extend_from_slice(if first { b"\"" } else { b",\"" });
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Compact JSON, except that byte arrays are JSON already.
///
/// This is what `Bytes` fields go through. The other way, serde_json's `RawValue`, would scan each payload
/// again for every message that it is written into.
struct Splice;

impl Formatter for Splice {
    fn write_byte_array<W: io::Write + ?Sized>(&mut self, out: &mut W, payload: &[u8]) -> io::Result<()> {
        pieces(payload).try_for_each(|piece| out.write_all(piece))
    }
}

/// What is between the raw line breaks of a payload.
///
/// In JSON a raw line break can only be white space, but for our peers it is the end of a message: for JSON
/// frames `\n`, for server-sent events `\r` too.
fn pieces(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    memchr2_iter(b'\n', b'\r', payload).chain([payload.len()]).map(move |to| {
        let piece = &payload[from..to];
        from = to + 1;
        piece
    })
}

//! What stands around a message: the command or reply of which it is a field, the push, the length.

use bytes::Bytes;
use serde::Serialize;

use crate::{Encoding, json, varint};

/// The field of an envelope that holds the message: its number and its name.
#[derive(Clone, Copy)]
pub(crate) struct Field(pub(crate) u32, pub(crate) &'static str);

/// The envelopes, with what they hold besides one message.
#[derive(Clone, Copy)]
pub(crate) enum Envelope<'a> {
    /// A command or a reply; both have the id at the same place.
    Numbered { id: u32 },
    /// A push, inside of a reply without an id.
    Push { id: i64, channel: &'a str },
}

/// What a JSON push stands in: a reply without an id.
pub(crate) const BEFORE_PUSH: &[u8] = br#"{"push":"#;
pub(crate) const AFTER_PUSH: &[u8] = b"}";

/// Bytes of JSON around a message, when there are few.
const JSON_BYTES: usize = 128;

/// Protobuf's wire types that we write.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

impl Envelope<'_> {
    /// One message in this envelope.
    pub(crate) fn around<M: prost::Message + Serialize>(
        self,
        encoding: Encoding,
        field: Field,
        message: &M,
    ) -> Bytes {
        match encoding {
            // The size in Protobuf is quick to find and not far from the size in JSON: most of it is payload.
            Encoding::Json => self.json(message.encoded_len(), |out| {
                json::member(out, field.1);
                json::write(out, message);
            }),
            Encoding::Protobuf => {
                let bytes = message.encoded_len();
                self.protobuf(length_delimited_len(field.0, bytes), |out| {
                    write_length(out, field.0, bytes);
                    message.encode(out).expect("a Vec takes every byte");
                })
            }
        }
    }

    /// No message.
    pub(crate) fn empty(self, encoding: Encoding) -> Bytes {
        match encoding {
            Encoding::Json => self.json(0, |_| {}),
            Encoding::Protobuf => self.protobuf(0, |_| {}),
        }
    }

    /// A JSON text; `write` appends the member that holds the message, of about `bytes`.
    pub(crate) fn json(self, bytes: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut out;
        match self {
            Self::Numbered { id } => {
                out = Vec::with_capacity(JSON_BYTES + bytes);
                out.push(b'{');
                if id != 0 {
                    json::member(&mut out, "id");
                    json::write(&mut out, &id);
                }
                write(&mut out);
            }
            Self::Push { id, channel } => {
                out = Vec::with_capacity(JSON_BYTES + channel.len() + bytes);
                out.extend_from_slice(BEFORE_PUSH);
                out.push(b'{');
                if id != 0 {
                    json::member(&mut out, "id");
                    json::write(&mut out, &id);
                }
                if !channel.is_empty() {
                    json::member(&mut out, "channel");
                    json::write(&mut out, channel);
                }
                write(&mut out);
                out.push(b'}');
            }
        }
        out.push(b'}');
        out.into()
    }

    /// A Protobuf message after its length; `write` appends the field that holds the message, of `bytes`.
    fn protobuf(self, bytes: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut out;
        match self {
            Self::Numbered { id } => {
                out = prefixed(number_len(1, id.into()) + bytes);
                write_number(&mut out, 1, id.into());
            }
            Self::Push { id, channel } => {
                // Protobuf's int64 is written as the 64 bits it has, whatever the sign.
                let id = id.cast_unsigned();
                let bytes = number_len(1, id) + text_len(2, channel) + bytes;
                out = prefixed(length_delimited_len(4, bytes));
                write_length(&mut out, 4, bytes);
                write_number(&mut out, 1, id);
                if !channel.is_empty() {
                    write_length(&mut out, 2, channel.len());
                    out.extend_from_slice(channel.as_bytes());
                }
            }
        }
        write(&mut out);
        out.into()
    }
}

/// A buffer of exactly the size of the length and of the message to follow, so that making it `Bytes` neither
/// copies nor allocates again.
fn prefixed(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(varint::len(bytes as u64) + bytes);
    varint::write(&mut out, bytes as u64);
    out
}

fn key(number: u32, wire_type: u32) -> u64 {
    u64::from(number << 3 | wire_type)
}

fn write_number(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        varint::write(out, key(number, VARINT));
        varint::write(out, value);
    }
}

fn number_len(number: u32, value: u64) -> usize {
    if value == 0 { 0 } else { varint::len(key(number, VARINT)) + varint::len(value) }
}

fn write_length(out: &mut Vec<u8>, number: u32, bytes: usize) {
    varint::write(out, key(number, LENGTH_DELIMITED));
    varint::write(out, bytes as u64);
}

fn length_delimited_len(number: u32, bytes: usize) -> usize {
    varint::len(key(number, LENGTH_DELIMITED)) + varint::len(bytes as u64) + bytes
}

fn text_len(number: u32, text: &str) -> usize {
    if text.is_empty() { 0 } else { length_delimited_len(number, text.len()) }
}

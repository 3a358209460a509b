//! In which encoding a client speaks the protocol, and how it tells what it hears.
//!
//! What it says is written by `spanwire-wire`, as in every client of ours. What it hears it tells by the first bytes. Reading
//! each publication whole, as `spanwire-client-core` does, takes about 3,200 instructions in JSON and 2,900 in Protobuf for
//! 128 bytes (`crates/client-core/examples/instructions.rs`, under callgrind).

use anyhow::{Context, Result};
use bytes::Bytes;
use spanwire_wire::{Batch, Command, Encoding, encode_command};

use crate::{frame, protobuf, script};

/// The protocol's pong in JSON, `{}`, masked with zeroes so that it is a constant.
const JSON_PONG: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'{', b'}'];
/// The same in Protobuf: a command of no bytes.
const PROTOBUF_PONG: &[u8] = &[0x82, 0x81, 0, 0, 0, 0, 0];

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// Not the protocol: each payload is handed on as it is.
    Raw,
    /// One command or reply in each line.
    Json,
    /// Each command and reply behind its length.
    Protobuf,
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    /// An empty line.
    Nothing,
    /// A heartbeat that wants an answer.
    Ping,
    /// A reply to a command.
    Reply,
    /// A reply that refuses.
    Refusal,
    /// Anything that was not asked for.
    Push,
}

impl Tongue {
    /// Path at which the server speaks so.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Tongue::Protobuf => "/connection/websocket?format=protobuf",
            Tongue::Json | Tongue::Raw => script::PATH,
        }
    }

    /// The frame that opens a session.
    pub(crate) fn connect(self, id: u32) -> Vec<u8> {
        self.frame(script::connect(id))
    }

    /// The frame that subscribes to `channel`.
    pub(crate) fn subscribe(self, id: u32, channel: &str) -> Vec<u8> {
        self.frame(script::subscribe(id, channel))
    }

    /// The frame that subscribes to `channel` and asks for what came after `offset` of `epoch`.
    pub(crate) fn recover(self, id: u32, channel: &str, epoch: &str, offset: u64) -> Vec<u8> {
        self.frame(script::recover(id, channel, epoch, offset))
    }

    /// The frame that publishes `data`, which is JSON, to `channel`.
    pub(crate) fn publish(self, id: u32, channel: &str, data: &str) -> Vec<u8> {
        self.frame(script::publish(id, channel, data))
    }

    fn frame(self, command: Command) -> Vec<u8> {
        let opcode = if self == Tongue::Protobuf { frame::BINARY } else { frame::TEXT };
        let mut frame = Vec::new();
        frame::write_masked(&mut frame, opcode, &self.message(&[command]));
        frame
    }

    /// These commands as one message.
    pub(crate) fn message(self, commands: &[Command]) -> Bytes {
        let encoding = if self == Tongue::Protobuf { Encoding::Protobuf } else { Encoding::Json };
        let mut batch = Batch::new(encoding);
        commands.iter().for_each(|command| batch.add(&encode_command(encoding, command)));
        batch.take()
    }

    /// The frame that answers a heartbeat.
    pub(crate) fn pong(self) -> &'static [u8] {
        match self {
            Tongue::Protobuf => PROTOBUF_PONG,
            Tongue::Json | Tongue::Raw => JSON_PONG,
        }
    }

    /// Takes the first saying off a frame's payload and returns it with what follows.
    pub(crate) fn split(self, payload: &[u8]) -> Result<(&[u8], &[u8])> {
        match self {
            Tongue::Raw => Ok((payload, &[])),
            Tongue::Json => match memchr::memchr(b'\n', payload) {
                Some(end) => Ok((&payload[..end], &payload[end + 1..])),
                None => Ok((payload, &[])),
            },
            Tongue::Protobuf => {
                let (length, rest) = protobuf::read_varint(payload).context("a reply has no length")?;
                let end = usize::try_from(length).ok().filter(|&end| end <= rest.len());
                Ok(rest.split_at(end.context("a reply is longer than its frame")?))
            }
        }
    }

    /// What kind of saying this is.
    pub(crate) fn hear(self, saying: &[u8]) -> Saying {
        match self {
            Tongue::Raw => Saying::Push,
            Tongue::Json => match saying {
                b"" => Saying::Nothing,
                b"{}" => Saying::Ping,
                reply if reply.starts_with(br#"{"id":"#) => {
                    let refused = memchr::memmem::find(reply, br#""error":"#).is_some();
                    if refused { Saying::Refusal } else { Saying::Reply }
                }
                _ => Saying::Push,
            },
            Tongue::Protobuf => match saying {
                [] => Saying::Ping,
                // Field 1 is the id of the command; field 2, if it follows, the error.
                [0x08, rest @ ..] => match protobuf::read_varint(rest) {
                    Some((_, [0x12, ..])) => Saying::Refusal,
                    _ => Saying::Reply,
                },
                _ => Saying::Push,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    /// The payload of a client's frame.
    fn payload(mut wire: Vec<u8>) -> Vec<u8> {
        let frame = Frame::read(&wire, 0).expect("the frame is whole");
        frame::unmask(&mut wire[frame.payload.clone()], frame.mask.expect("clients mask"));
        wire[frame.payload].to_vec()
    }

    #[test]
    fn a_json_command_is_what_the_floor_and_peers_look_for() {
        let of = |frame| String::from_utf8(payload(frame)).unwrap();
        assert_eq!(of(Tongue::Json.connect(1)), r#"{"id":1,"connect":{}}"#);
        assert_eq!(of(Tongue::Json.subscribe(2, "ab")), r#"{"id":2,"subscribe":{"channel":"ab"}}"#);
        let publish = of(Tongue::Json.publish(3, "ab", "[1]"));
        assert_eq!(publish, r#"{"id":3,"publish":{"channel":"ab","data":[1]}}"#);
    }

    #[test]
    fn a_protobuf_command_is_an_id_and_a_method_behind_a_length() {
        assert_eq!(payload(Tongue::Protobuf.connect(1)), [4, 0x08, 1, 0x22, 0]);
        assert_eq!(payload(Tongue::Protobuf.subscribe(2, "ab")), [8, 0x08, 2, 0x2a, 4, 0x0a, 2, b'a', b'b']);
        let publish = payload(Tongue::Protobuf.publish(300, "ab", "1"));
        assert_eq!(publish, [12, 0x08, 0xac, 2, 0x3a, 7, 0x0a, 2, b'a', b'b', 0x12, 1, b'1']);
        assert_eq!(payload(PROTOBUF_PONG.to_vec()), [0]);
        assert_eq!(payload(JSON_PONG.to_vec()), b"{}");
    }

    #[test]
    fn a_frame_may_hold_several_sayings_in_either_encoding() {
        let json = b"{}\n{\"id\":1,\"connect\":{}}\n{\"push\":{}}\n{\"id\":2,\"error\":{\"code\":103}}";
        let protobuf = [0, 4, 0x08, 1, 0x2a, 0, 2, 0x22, 0, 6, 0x08, 0xac, 2, 0x12, 1, 0];
        for (tongue, wire) in [(Tongue::Json, &json[..]), (Tongue::Protobuf, &protobuf[..])] {
            let (mut rest, mut heard) = (wire, Vec::new());
            while !rest.is_empty() {
                let (saying, behind) = tongue.split(rest).unwrap();
                heard.push(tongue.hear(saying));
                rest = behind;
            }
            assert_eq!(heard, [Saying::Ping, Saying::Reply, Saying::Push, Saying::Refusal], "{tongue:?}");
        }
        assert_eq!(Tongue::Json.hear(b""), Saying::Nothing);
    }

    #[test]
    fn a_reply_that_is_longer_than_its_frame_is_an_error() {
        assert!(Tongue::Protobuf.split(&[5, 1, 2]).is_err());
        assert!(Tongue::Protobuf.split(&[0x80]).is_err());
    }
}

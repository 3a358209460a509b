//! The commands of the load, recognised by their shape, and the answers to them.
//!
//! The load writes each command in one way only, so nothing is parsed: this is the cost of looking.

use memchr::memmem;

use crate::frame;

/// How a delivery begins; the channel follows.
const PUSH_HEAD: &[u8] = br#"{"push":{"channel":""#;
/// What stands between channel and data.
const PUSH_MIDDLE: &[u8] = br#"","pub":{"data":"#;
/// How it ends: with the client that published, as the protocol wants it. The floor has but one.
const PUSH_TAIL: &[u8] = br#","info":{"user":"","client":"00000000-0000-4000-8000-000000000000"}}}}"#;

/// A command of the load.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    Pong,
    Connect,
    Subscribe {
        /// The channel's name.
        channel: &'a [u8],
    },
    Publish {
        /// The channel's name.
        channel: &'a [u8],
        /// The publication's data, as it came.
        data: &'a [u8],
    },
}

/// Recognises a command; none if the load does not send such.
pub(super) fn read(command: &[u8]) -> Option<Request<'_>> {
    if command == b"{}" {
        return Some(Request::Pong);
    }
    let method = &command[method_start(command)?..];
    if method.starts_with(b"\"connect\"") {
        Some(Request::Connect)
    } else if method.starts_with(b"\"subscribe\"") {
        Some(Request::Subscribe { channel: channel(method)? })
    } else if method.starts_with(b"\"publish\"") {
        let start = memmem::find(method, b"\"data\":")? + b"\"data\":".len();
        let data = method.get(start..method.len().checked_sub(2)?)?;
        Some(Request::Publish { channel: channel(method)?, data })
    } else {
        None
    }
}

/// Appends the reply to `command`, which [`read`] has recognised: its id and method with an empty result.
pub(super) fn write_reply(out: &mut Vec<u8>, command: &[u8]) {
    let Some(start) = method_start(command) else { return };
    let Some(length) = memchr::memchr(b':', &command[start..]) else { return };
    let echoed = &command[..start + length + 1];
    // The load's ids and methods are short: the reply stays below the 126 bytes of a short frame.
    out.extend_from_slice(&[0x80 | frame::TEXT, (echoed.len() + 3) as u8]);
    out.extend_from_slice(echoed);
    out.extend_from_slice(b"{}}");
}

/// Appends the frame with which `data` is delivered.
pub(super) fn write_push(out: &mut Vec<u8>, channel: &[u8], data: &[u8]) {
    frame::write_parts(out, frame::TEXT, &[PUSH_HEAD, channel, PUSH_MIDDLE, data, PUSH_TAIL]);
}

/// The channel that a command names.
fn channel(method: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = br#""channel":""#;
    let name = &method[memmem::find(method, KEY)? + KEY.len()..];
    Some(&name[..memchr::memchr(b'"', name)?])
}

/// Where the method's name begins: after `{"id":N,`.
fn method_start(command: &[u8]) -> Option<usize> {
    Some(memchr::memchr(b',', command)? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;
    use crate::tongue::Tongue;
    use crate::{frame, script};

    #[test]
    fn each_command_of_the_load_is_recognised_and_answered_with_its_own_id() {
        let table = [
            (Tongue::Json.connect(1), Request::Connect, r#"{"id":1,"connect":{}}"#),
            (
                Tongue::Json.subscribe(2, script::CHANNEL),
                Request::Subscribe { channel: b"bench:1" },
                r#"{"id":2,"subscribe":{}}"#,
            ),
            (
                Tongue::Json.publish(30, script::CHANNEL, r#"{"n":"1"}"#),
                Request::Publish { channel: b"bench:1", data: br#"{"n":"1"}"# },
                r#"{"id":30,"publish":{}}"#,
            ),
        ];
        for (mut command, request, reply) in table {
            let sent = Frame::read(&command, 0).expect("the frame is whole");
            frame::unmask(&mut command[sent.payload.clone()], sent.mask.expect("clients mask"));
            let command = &command[sent.payload];
            assert_eq!(read(command), Some(request), "{reply}");
            let mut frame = Vec::new();
            write_reply(&mut frame, command);
            assert_eq!(&frame[2..], reply.as_bytes());
            assert_eq!(frame[1] as usize, reply.len());
        }
    }

    #[test]
    fn what_the_load_does_not_send_is_not_recognised() {
        assert_eq!(read(b"{}"), Some(Request::Pong));
        for other in [&b""[..], b"{", b"hello", br#"{"id":1,"rpc":{}}"#, br#"{"id":1,"publish":{}}"#] {
            assert_eq!(read(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn a_delivery_is_one_frame_of_json_with_the_data_untouched() {
        let data = script::data(7, script::DATA_BYTES);
        let mut wire = Vec::new();
        write_push(&mut wire, script::CHANNEL.as_bytes(), data.as_bytes());
        let frame = Frame::read(&wire, 0).unwrap();
        assert_eq!(frame.end(), wire.len());
        let push: serde_json::Value = serde_json::from_slice(&wire[frame.payload]).unwrap();
        assert_eq!(push["push"]["channel"], script::CHANNEL);
        assert_eq!(push["push"]["pub"]["data"].to_string(), data);
    }
}

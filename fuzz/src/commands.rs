//! The boundary between a frame and its meaning, in both encodings and both directions.

use bytes::Bytes;
use spanwire_wire::{
    Batch, Command, CommandReader, DecodeError, Encoding, Limits, Request, ServerMessage, commands,
    encode_command, encode_server_message, is_json, server_messages,
};

/// Lower than the default, so that small inputs reach them.
const LIMITS: Limits = Limits { message_bytes_max: 512, messages_per_frame_max: 8 };

/// A frame of JSON: what clients send, and once more as what servers send.
///
/// What must hold: a reader that pauses hears the same as one that does not; what was understood fits in a
/// frame of our own, without a line break that is not ours, and is understood there as the same; and in
/// Protobuf too.
///
/// # Panics
///
/// When one of these does not hold.
pub fn commands_json(input: &[u8]) {
    for command in read_commands(Encoding::Json, input) {
        for encoding in Encoding::ALL {
            survives(encoding, &command, encode_command, decode_command);
        }
        if let Request::Publish(request) = &command.request {
            assert!(request.data.is_empty() || is_json(&request.data), "a payload that we let in");
        }
    }
    for message in read_server_messages(Encoding::Json, input) {
        for encoding in Encoding::ALL {
            survives(encoding, &message, encode_server_message, decode_server_message);
        }
    }
}

/// A frame of Protobuf: what clients send, and once more as what servers send.
///
/// What must hold is the same as for [`commands_json`], but for the other encoding: these payloads are any
/// bytes, so they may not become JSON.
///
/// # Panics
///
/// When one of these does not hold.
pub fn commands_protobuf(input: &[u8]) {
    for command in read_commands(Encoding::Protobuf, input) {
        survives(Encoding::Protobuf, &command, encode_command, decode_command);
    }
    for message in read_server_messages(Encoding::Protobuf, input) {
        survives(Encoding::Protobuf, &message, encode_server_message, decode_server_message);
    }
}

/// The commands of a frame, up to the first error.
fn read_commands(encoding: Encoding, frame: &[u8]) -> Vec<Command> {
    let heard: Vec<_> = commands(encoding, frame, &LIMITS).map_while(Result::ok).collect();
    assert!(heard.len() <= LIMITS.messages_per_frame_max);
    assert_eq!(read_with_pauses(encoding, frame), heard, "heard with pauses");

    let mut batch = Batch::new(encoding);
    heard.iter().for_each(|command| batch.add(&encode_command(encoding, command)));
    if !batch.is_empty() {
        let again = commands(encoding, &batch.take(), &Limits::REPLIES).map(Result::unwrap).count();
        assert_eq!(again, heard.len(), "each message of a batch stays one");
    }
    heard
}

/// The same, with the frame elsewhere in memory at each step.
fn read_with_pauses(encoding: Encoding, frame: &[u8]) -> Vec<Command> {
    let (mut reader, mut heard) = (CommandReader::new(encoding, &LIMITS), Vec::new());
    loop {
        let before = reader.consumed();
        let moved = frame.to_vec();
        match reader.next(&moved) {
            Some(Ok(command)) => heard.push(command),
            Some(Err(_)) => {
                assert!(reader.next(frame).is_none(), "nothing comes after an error");
                return heard;
            }
            None => {
                assert_eq!(reader.consumed(), frame.len(), "the end is the end of the frame");
                return heard;
            }
        }
        assert!((before + 1..=frame.len()).contains(&reader.consumed()), "each command takes bytes");
    }
}

fn read_server_messages(encoding: Encoding, frame: &[u8]) -> Vec<ServerMessage> {
    server_messages(encoding, frame, &LIMITS).map_while(Result::ok).collect()
}

/// What we understood, we say; and what we say is understood as what we said.
///
/// Said, not heard: the line breaks in a payload do not go out.
fn survives<T>(
    encoding: Encoding,
    heard: &T,
    encode: impl Fn(Encoding, &T) -> Bytes,
    decode: impl Fn(Encoding, &[u8]) -> Result<T, DecodeError>,
) {
    let said = encode(encoding, heard);
    if encoding == Encoding::Json {
        assert!(!said.iter().any(|byte| matches!(byte, b'\n' | b'\r')), "a message is one line");
    }
    let understood = decode(encoding, &said).unwrap_or_else(|error| panic!("{said:?}: {error:?}"));
    assert_eq!(encode(encoding, &understood), said);
}

fn decode_command(encoding: Encoding, frame: &[u8]) -> Result<Command, DecodeError> {
    commands(encoding, frame, &Limits::REPLIES).next().expect("a frame has a command or an error")
}

fn decode_server_message(encoding: Encoding, frame: &[u8]) -> Result<ServerMessage, DecodeError> {
    server_messages(encoding, frame, &Limits::REPLIES).next().expect("a frame has a message or an error")
}

//! Where messages begin and end, and the limits.

use spanwire_wire::message::{FilterNode, PresenceRequest, SendRequest, SubscribeRequest};
use spanwire_wire::{
    Batch, Command, CommandReader, DecodeError, Encoding, Limits, PING_JSON, PING_PROTOBUF, Request,
    ServerMessage, commands, encode_command, encode_ping, server_messages,
};

const SMALL: Limits = Limits { message_bytes_max: 40, messages_per_frame_max: 3 };

/// What a frame was read as: the ids of its commands, then the name of the error that ended it, if one did.
fn read(encoding: Encoding, frame: &[u8]) -> (Vec<u32>, String) {
    let mut ids = Vec::new();
    for command in commands(encoding, frame, &SMALL) {
        match command {
            Ok(command) => ids.push(command.id),
            Err(error) => return (ids, name(&error)),
        }
    }
    (ids, String::new())
}

/// The name of an error's variant.
fn name(error: &DecodeError) -> String {
    let debug = format!("{error:?}");
    debug.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

fn assert_read(encoding: Encoding, table: &[(&[u8], &[u32], &str)]) {
    for (frame, ids, end) in table {
        let expected = (ids.to_vec(), end.to_string());
        assert_eq!(read(encoding, frame), expected, "{}", frame.escape_ascii());
    }
}

#[test]
fn json_commands_are_lines_and_the_last_may_end_with_a_newline() {
    assert_read(
        Encoding::Json,
        &[
            (b"{}", &[0], ""),
            (b"{}\n", &[0], ""),
            (b"{\"id\":1}\n{\"id\":2}", &[1, 2], ""),
            (b"{\"id\":1}\n{\"id\":2}\n", &[1, 2], ""),
            (b" {\"id\":1}\t\r\n{\"id\":2}\r\n", &[1, 2], ""),
            (b"", &[], "FrameEmpty"),
            (b"\n", &[], "LineEmpty"),
            (b"\n{}", &[], "LineEmpty"),
            (b"{}\n\n", &[0], "LineEmpty"),
            (b"{}\n\n{}", &[0], "LineEmpty"),
            (b" ", &[], "Json"),
            (b"{}\n ", &[0], "Json"),
            (b"{}{}", &[], "Json"),
            (b"{\"id\":1}\nnonsense\n{\"id\":3}", &[1], "Json"),
        ],
    );
}

#[test]
fn protobuf_commands_follow_their_length() {
    assert_read(
        Encoding::Protobuf,
        &[
            (&[0], &[0], ""),
            (&[2, 0x08, 1], &[1], ""),
            (&[2, 0x08, 1, 0, 2, 0x08, 2], &[1, 0, 2], ""),
            (&[], &[], "FrameEmpty"),
            (&[0x80], &[], "LengthMalformed"),
            (&[0x80, 0x00], &[], "LengthMalformed"),
            (&[0x82, 0x00, 0x08, 1], &[], "LengthMalformed"),
            (&[0xff; 11], &[], "LengthMalformed"),
            (&[3, 0x08, 1], &[], "LengthBeyondFrame"),
            (&[2, 0x08, 1, 2, 0x08], &[1], "LengthBeyondFrame"),
            (&[1, 0x08], &[], "Protobuf"),
            (&[2, 0x0a, 0], &[], "Protobuf"),
        ],
    );
}

#[test]
fn a_message_at_the_limit_is_read_and_one_byte_more_is_not() {
    for encoding in Encoding::ALL {
        let at = |filler: usize| {
            let data = format!("\"{}\"", "x".repeat(filler)).into();
            encode_command(encoding, &Command { id: 0, request: Request::Send(SendRequest { data }) })
        };
        let prefix = if encoding == Encoding::Json { 0 } else { 1 };
        let fits = SMALL.message_bytes_max + prefix - at(0).len();
        assert_eq!(read(encoding, &at(fits)), (vec![0], String::new()));
        assert_eq!(read(encoding, &at(fits + 1)), (vec![], "MessageTooLarge".to_owned()));
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_bytes_arrive() {
    assert_read(Encoding::Protobuf, &[(&[0xff, 0xff, 0xff, 0xff, 0x0f], &[], "MessageTooLarge")]);
}

#[test]
fn as_many_messages_as_the_limit_are_read_and_one_more_is_not() {
    assert_read(
        Encoding::Json,
        &[(b"{}\n{}\n{}\n", &[0, 0, 0], ""), (b"{}\n{}\n{}\n{}", &[0, 0, 0], "TooManyMessages")],
    );
    assert_read(
        Encoding::Protobuf,
        &[(&[0, 0, 0], &[0, 0, 0], ""), (&[0, 0, 0, 0], &[0, 0, 0], "TooManyMessages")],
    );
}

#[test]
fn a_decoded_command_takes_no_more_memory_per_byte_than_the_limits_say() {
    // Entries that cost the least on the wire for what they cost in memory: two bytes for a whole node.
    let node = FilterNode { nodes: vec![FilterNode::default(); 30_000], ..Default::default() };
    let subscribe = Request::Subscribe(SubscribeRequest { tf: Some(node), ..Default::default() });
    let frame = encode_command(Encoding::Protobuf, &Command { id: 1, request: subscribe });
    let command = commands(Encoding::Protobuf, &frame, &Limits::COMMANDS).next();
    let Some(Ok(Command { request: Request::Subscribe(SubscribeRequest { tf: Some(node), .. }), .. })) =
        command
    else {
        panic!("it is within the limits")
    };
    let bytes = node.nodes.capacity() * size_of::<FilterNode>();
    assert!(bytes <= frame.len() * Limits::MEMORY_PER_BYTE_MAX, "{bytes} from {}", frame.len());
}

#[test]
fn a_reader_may_pause_between_any_two_commands_and_go_on() {
    for encoding in Encoding::ALL {
        let frame = frame_of(encoding, &[1, 2, 3]);
        let mut reader = CommandReader::new(encoding, &Limits::COMMANDS);
        let mut boundaries = Vec::new();
        for id in [1, 2, 3] {
            // The frame moved to another place meanwhile: the reader holds no part of it.
            let moved = frame.clone();
            assert_eq!(reader.next(&moved).and_then(Result::ok), Some(presence(id)));
            boundaries.push(reader.consumed());
        }
        assert!(reader.next(&frame).is_none());
        assert_eq!(boundaries.last(), Some(&frame.len()));

        // What is left after each command is a frame of its own.
        for (read, &at) in (1..).zip(&boundaries[..2]) {
            let ids: Vec<_> =
                commands(encoding, &frame[at..], &Limits::COMMANDS).map(|it| it.unwrap().id).collect();
            assert_eq!(ids, (read + 1..=3).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_rest_of_a_frame_is_what_has_not_been_read() {
    let frame = b"{\"id\":1}\n{\"id\":2}\n";
    let mut commands = commands(Encoding::Json, frame, &Limits::COMMANDS);
    assert_eq!(commands.rest(), frame);
    commands.next();
    assert_eq!(commands.rest(), b"{\"id\":2}\n");
    commands.next();
    assert_eq!(commands.rest(), b"");
    assert!(commands.next().is_none());
}

#[test]
fn nothing_is_read_after_an_error() {
    let mut commands = commands(Encoding::Json, b"[]\n{\"id\":2}", &Limits::COMMANDS);
    assert!(commands.next().is_some_and(|command| command.is_err()));
    assert!(commands.next().is_none());
    assert!(commands.next().is_none());
}

#[test]
fn a_frame_that_shrinks_between_calls_ends() {
    let mut reader = CommandReader::new(Encoding::Json, &Limits::COMMANDS);
    assert!(reader.next(b"{}\n{}").is_some());
    assert!(reader.next(b"{").is_none());
}

#[test]
fn a_batch_is_read_as_the_messages_that_were_added() {
    for encoding in Encoding::ALL {
        let mut batch = Batch::new(encoding);
        assert!(batch.is_empty());
        for id in [7, 8] {
            batch.add(&encode_command(encoding, &presence(id)));
        }
        let bytes = batch.len();
        let frame = batch.take();
        assert_eq!(frame.len(), bytes);
        assert!(batch.is_empty());
        assert_eq!(frame, frame_of(encoding, &[7, 8]));
        let read: Vec<_> = commands(encoding, &frame, &Limits::COMMANDS).map(Result::unwrap).collect();
        assert_eq!(read, [presence(7), presence(8)]);
    }
}

#[test]
fn a_ping_is_an_empty_message_and_so_is_a_pong() {
    for (encoding, bytes) in [(Encoding::Json, PING_JSON), (Encoding::Protobuf, PING_PROTOBUF)] {
        assert_eq!(encode_ping(encoding), bytes);
        let pong = Command { id: 0, request: Request::Pong };
        assert_eq!(encode_command(encoding, &pong), bytes);
        assert_eq!(commands(encoding, bytes, &SMALL).next().and_then(Result::ok), Some(pong));
        let ping = server_messages(encoding, bytes, &SMALL).next();
        assert_eq!(ping.and_then(Result::ok), Some(ServerMessage::Ping));
    }
}

fn presence(id: u32) -> Command {
    Command { id, request: Request::Presence(PresenceRequest { channel: "room".into() }) }
}

fn frame_of(encoding: Encoding, ids: &[u32]) -> Vec<u8> {
    let messages: Vec<_> = ids.iter().map(|&id| encode_command(encoding, &presence(id))).collect();
    messages.join(encoding.separator())
}

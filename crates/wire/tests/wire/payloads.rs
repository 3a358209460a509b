//! Raw JSON, carried and not looked into.

use bytes::Bytes;
use spanwire_wire::message::{EmulationRequest, Publication, PublishRequest, RpcRequest};
use spanwire_wire::{
    Command, DecodeError, Encoding, Limits, Push, PushEvent, Request, ServerMessage, commands,
    decode_emulation, encode_command, encode_emulation, encode_push, is_json, server_messages,
};

/// Payloads as they may stand in a command, with nothing in them changed on the way.
const PAYLOADS: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "1.50",
    "1E+2",
    "123456789012345678901234567890",
    "1e999999",
    r#""""#,
    r#""\ud800\u0000\/\n""#,
    r#""é🙂""#,
    "[]",
    "[ 1 , 2 ]",
    r#"{"b":1,"a":2,"b":3}"#,
    r#"{ "deep" : [ { } ] }"#,
];

/// A byte string nested in arrays, far beyond what a recursive parser could take.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

fn rpc(data: &str) -> Command {
    let data = Bytes::copy_from_slice(data.as_bytes());
    Command { id: 1, request: Request::Rpc(RpcRequest { data, method: String::new() }) }
}

fn decode(frame: &[u8]) -> Result<Command, DecodeError> {
    commands(Encoding::Json, frame, &Limits::COMMANDS).next().expect("a frame has a command or an error")
}

#[test]
fn a_payload_goes_in_and_out_byte_for_byte() {
    for payload in PAYLOADS {
        let frame = format!(r#"{{"id":1,"rpc":{{"data":{payload}}}}}"#);
        assert_eq!(decode(frame.as_bytes()).expect(payload), rpc(payload));
        assert_eq!(encode_command(Encoding::Json, &rpc(payload)), frame);
    }
}

#[test]
fn white_space_around_a_payload_is_not_part_of_it() {
    let frame = b"{\"id\":1,\"rpc\":{\"data\": \t\r[ 1 ]\r }}";
    assert_eq!(decode(frame).expect("it is JSON"), rpc("[ 1 ]"));
}

#[test]
fn no_line_break_of_a_payload_goes_out() {
    let push = |data: &'static str| {
        let data = Bytes::from_static(data.as_bytes());
        Push::new("c", PushEvent::Publication(Publication { data, ..Default::default() }.into()))
    };
    let cases = [
        ("\n{\n\"a\":\r\n1\r}\n\n", r#"{"a":1}"#),
        ("{\"a\":\"\\n\"}", r#"{"a":"\n"}"#),
        ("[1,\n2]", "[1,2]"),
    ];
    for (data, spliced) in cases {
        let expected = format!(r#"{{"push":{{"channel":"c","pub":{{"data":{spliced}}}}}}}"#);
        assert_eq!(encode_push(Encoding::Json, &push(data)), expected);
        let protobuf = encode_push(Encoding::Protobuf, &push(data));
        let read = server_messages(Encoding::Protobuf, &protobuf, &Limits::REPLIES).next();
        assert_eq!(
            read.and_then(Result::ok),
            Some(ServerMessage::Push(push(data))),
            "Protobuf carries all bytes"
        );
    }
}

#[test]
fn an_absent_payload_is_empty_and_an_empty_one_is_absent() {
    assert_eq!(decode(br#"{"id":1,"rpc":{}}"#).expect("data may be absent"), rpc(""));
    assert_eq!(encode_command(Encoding::Json, &rpc("")), r#"{"id":1,"rpc":{}}"#);
}

#[test]
fn a_payload_that_is_not_json_makes_its_command_malformed() {
    for payload in ["", "{", "nul", "01", "1.", "'a'", "[1,]", "{\"a\"}", "\"\\x\"", "\"a\tb\"", "1 2", "NaN"]
    {
        let frame = format!(r#"{{"id":1,"rpc":{{"data":{payload}}}}}"#);
        assert!(matches!(decode(frame.as_bytes()), Err(DecodeError::Json(_))), "{payload}");
        assert!(!is_json(payload.as_bytes()), "{payload}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_wherever_it_would_be_kept() {
    let frames: [&[u8]; 4] = [
        b"{\"id\":1,\"rpc\":{\"data\":\"\xff\"}}",
        b"{\"id\":1,\"rpc\":{\"data\":{\"\xc0\xaf\":1}}}",
        b"{\"id\":1,\"rpc\":{\"method\":\"\xff\"}}",
        b"{\"id\":1,\"connect\":{\"headers\":{\"\xed\xa0\x80\":\"\"}}}",
    ];
    for frame in frames {
        assert!(matches!(decode(frame), Err(DecodeError::Json(_))), "{}", frame.escape_ascii());
    }
    assert!(!is_json(b"\"\xff\""));

    let frame = [7, 0x08, 1, 0x6a, 3, 0x12, 1, 0xff]; // the method of a call
    let command = commands(Encoding::Protobuf, &frame, &Limits::COMMANDS).next();
    assert!(matches!(command, Some(Err(DecodeError::Protobuf(_)))));
}

#[test]
fn a_payload_may_be_nested_as_deep_as_it_is_long() {
    let payload = nested(32_000);
    assert!(is_json(payload.as_bytes()));
    assert!(!is_json(&payload.as_bytes()[1..]));
    let command = Command {
        id: 1,
        request: Request::Publish(PublishRequest {
            channel: "c".into(),
            data: payload.into(),
            ..Default::default()
        }),
    };
    let frame = encode_command(Encoding::Json, &command);
    assert_eq!(decode(&frame).expect("depth is no reason"), command);
}

#[test]
fn only_one_whole_text_is_json() {
    for payload in PAYLOADS {
        assert!(is_json(payload.as_bytes()), "{payload}");
        assert!(is_json(format!(" \r\n\t{payload}\n").as_bytes()), "{payload}");
        assert!(!is_json(format!("{payload} {payload}").as_bytes()), "{payload}");
        assert!(!is_json(format!("{payload}}}}}\n{{\"push\":{{}}}}").as_bytes()), "{payload}");
    }
}

#[test]
fn the_frame_in_an_emulation_request_is_a_string_in_json() {
    let request = EmulationRequest {
        node: "n".into(),
        session: "s".into(),
        data: Bytes::from_static(b"{\"id\":1}\n{}"),
    };
    let body = encode_emulation(Encoding::Json, &request);
    assert_eq!(body, r#"{"node":"n","session":"s","data":"{\"id\":1}\n{}"}"#);
    assert_eq!(decode_emulation(Encoding::Json, &body).expect("it is whole"), request);

    let body = encode_emulation(Encoding::Protobuf, &request);
    assert_eq!(&body[..2], [0x0a, 1], "no length stands before it");
    assert_eq!(decode_emulation(Encoding::Protobuf, &body).expect("it is whole"), request);

    assert!(decode_emulation(Encoding::Json, br#"{"data":{"id":1}}"#).is_err());
}

//! What decoders of JSON and Protobuf forgive, and what they do not.

use spanwire_wire::message::{ConnectRequest, FilterNode, HistoryRequest, StreamPosition, SubscribeRequest};
use spanwire_wire::{
    Command, DecodeError, Encoding, Limits, Outcome, Reply, Request, ServerMessage, commands, encode_command,
    extension, server_messages,
};

fn decode(json: &str) -> Result<Command, DecodeError> {
    commands(Encoding::Json, json.as_bytes(), &Limits::COMMANDS).next().expect("a command or an error")
}

fn request(json: &str) -> Request {
    decode(json).unwrap_or_else(|error| panic!("{json}: {error:?}")).request
}

fn refused(json: &str) {
    let decoded = decode(json);
    assert!(matches!(decoded, Err(DecodeError::Json(_))), "{json} became {decoded:?}");
}

#[test]
fn the_first_request_in_the_order_of_dispatch_counts() {
    let names = [
        "connect",
        "ping",
        "subscribe",
        "unsubscribe",
        "publish",
        "presence",
        "presence_stats",
        "history",
        "rpc",
        "send",
        "refresh",
        "sub_refresh",
    ];
    for (at, first) in names.iter().enumerate() {
        let alone = request(&format!(r#"{{"id":1,"{first}":{{}}}}"#));
        assert_ne!(alone, Request::Unknown, "{first}");
        // Written last, so that it is the order of dispatch which counts and not that of the text.
        let others: String = names[at + 1..].iter().map(|name| format!(r#""{name}":{{}},"#)).collect();
        assert_eq!(request(&format!(r#"{{"id":1,{others}"{first}":{{}}}}"#)), alone);
    }
    assert_eq!(request(r#"{"id":1}"#), Request::Unknown);
    assert_eq!(request(r#"{"id":1,"teleport":{}}"#), Request::Unknown);
}

#[test]
fn a_command_without_an_id_is_a_send_or_a_pong() {
    assert_eq!(request("{}"), Request::Pong);
    assert_eq!(request(r#"{"id":0}"#), Request::Pong);
    assert_eq!(request(r#"{"id":0,"connect":{}}"#), Request::Pong);
    assert!(matches!(request(r#"{"send":{"data":1}}"#), Request::Send(_)));
    assert!(matches!(request(r#"{"connect":{},"send":{"data":1}}"#), Request::Send(_)));
}

#[test]
fn what_the_server_says_is_a_ping_a_push_or_a_reply() {
    let decode = |json: &str| {
        let message = server_messages(Encoding::Json, json.as_bytes(), &Limits::REPLIES).next();
        message.expect("a message").unwrap_or_else(|error| panic!("{json}: {error:?}"))
    };
    assert_eq!(decode("{}"), ServerMessage::Ping);
    assert_eq!(decode(r#"{"something":"new"}"#), ServerMessage::Ping);
    assert!(matches!(decode(r#"{"push":{}}"#), ServerMessage::Push(_)));
    assert_eq!(
        decode(r#"{"id":3,"something":"new"}"#),
        ServerMessage::Reply(Reply { id: 3, outcome: Outcome::Unknown })
    );
    assert!(matches!(
        decode(r#"{"id":3,"connect":{},"error":{"code":100}}"#),
        ServerMessage::Reply(Reply { id: 3, outcome: Outcome::Error(_) })
    ));
}

#[test]
fn unknown_fields_are_ignored() {
    let known = request(r#"{"id":1,"history":{"channel":"c","since":{"offset":1}}}"#);
    let more = r#"{"zzz":[{"a":[]}],"id":1,"history":{"y":null,"channel":"c","since":{"x":"","offset":1}}}"#;
    assert_eq!(request(more), known);

    // Field 900 in each wire type, beside the id of a command without a request.
    for unknown in [&[0xa0, 0x38, 1][..], &[0xa2, 0x38, 2, 1, 2], &[0xa5, 0x38, 1, 2, 3, 4]] {
        let message = [&[0x08, 7], unknown].concat();
        let frame = [&[message.len() as u8], &message[..]].concat();
        let command = commands(Encoding::Protobuf, &frame, &Limits::COMMANDS).next().expect("one command");
        assert_eq!(command.expect("it is well formed"), Command { id: 7, request: Request::Unknown });
    }
}

#[test]
fn null_is_the_zero_value_of_every_field_but_a_payload() {
    let nulls = r#"{"id":1,"history":{"channel":null,"limit":null,"since":null,"reverse":null}}"#;
    assert_eq!(request(nulls), Request::History(HistoryRequest::default()));
    let nulls = r#"{"id":1,"connect":{"token":null,"subs":null,"headers":null,"data":null},"ping":null}"#;
    let Request::Connect(connect) = request(nulls) else { panic!("it is a connect") };
    assert_eq!(connect, ConnectRequest { data: "null".into(), ..Default::default() });
    assert_eq!(request(r#"{"id":null,"connect":null}"#), Request::Pong);
}

#[test]
fn a_message_is_an_object_and_nothing_else() {
    for json in [
        "[]",
        "[7]",
        "1",
        "\"\"",
        "true",
        "null",
        r#"{"id":1,"publish":["c",1]}"#,
        r#"{"id":1,"publish":"c"}"#,
        r#"{"id":1,"ping":[]}"#,
        r#"{"id":1,"connect":{"subs":{"a":[]}}}"#,
        r#"{"id":1,"connect":{"subs":[]}}"#,
        r#"{"id":1,"sub_refresh":{"track":[[]]}}"#,
        r#"{"id":1,"subscribe":{"tf":{"nodes":[["and"]]}}}"#,
    ] {
        refused(json);
    }
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    refused(r#"{"id":1,"id":1}"#);
    refused(r#"{"id":1,"connect":{},"connect":{}}"#);
    refused(r#"{"id":1,"publish":{"channel":"mine","data":1,"channel":"theirs"}}"#);
}

#[test]
fn integers_are_exact_to_their_last_bit_and_no_further() {
    let since = |offset: &str| format!(r#"{{"id":1,"history":{{"since":{{"offset":{offset}}}}}}}"#);
    for offset in [0, 1, 1 << 53, (1 << 53) + 1, u64::MAX] {
        let expected = HistoryRequest {
            since: Some(StreamPosition { offset, epoch: String::new() }),
            ..Default::default()
        };
        assert_eq!(request(&since(&offset.to_string())), Request::History(expected));
    }
    for wrong in ["-1", "18446744073709551616", "1.5", "1e3", "1e999", "\"1\"", "01", "true"] {
        refused(&since(wrong));
    }
    assert_eq!(decode(r#"{"id":4294967295}"#).expect("it fits").id, u32::MAX);
    refused(r#"{"id":4294967296}"#);
    refused(r#"{"id":1,"history":{"limit":2147483648}}"#);
}

#[test]
fn a_filter_nested_too_deep_is_refused_and_the_stack_is_safe() {
    let json = |depth: usize| {
        let open = r#"{"nodes":["#.repeat(depth);
        format!(r#"{{"id":1,"subscribe":{{"tf":{open}{}}}}}"#, "]}".repeat(depth))
    };
    assert!(matches!(request(&json(50)), Request::Subscribe(_)));
    refused(&json(4_000));

    let protobuf = |depth: usize| {
        let tf = (0..depth)
            .fold(FilterNode::default(), |node, _| FilterNode { nodes: vec![node], ..Default::default() });
        let subscribe = SubscribeRequest { tf: Some(tf), ..Default::default() };
        encode_command(Encoding::Protobuf, &Command { id: 1, request: Request::Subscribe(subscribe) })
    };
    let decode =
        |frame: &[u8]| commands(Encoding::Protobuf, frame, &Limits::COMMANDS).next().expect("one command");
    assert!(decode(&protobuf(50)).is_ok());
    assert!(matches!(decode(&protobuf(200)), Err(DecodeError::Protobuf(_))));
}

#[test]
fn what_is_ignored_may_be_nested_as_deep_as_it_is_long() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert_eq!(request(&format!(r#"{{"zzz":{deep}}}"#)), Request::Pong);
}

#[test]
fn extensions_are_for_those_who_ask() {
    let asks = |value: &str| {
        let Request::Connect(connect) = request(&format!(r#"{{"id":1,"connect":{{"headers":{value}}}}}"#))
        else {
            panic!("it is a connect")
        };
        extension::is_wanted(&connect)
    };
    assert!(asks(r#"{"spanwire":"1"}"#));
    assert!(!asks(r#"{"spanwire":"2"}"#));
    assert!(!asks(r#"{"Spanwire":"1"}"#));
    assert!(!asks("{}"));
}

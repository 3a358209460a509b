//! `client.proto` says what the structs say.
//!
//! JSON knows the fields by name and Protobuf by number. So a message with a single field, read from JSON and
//! written as Protobuf, shows which number belongs to the name.

use prost::Message as _;
use serde::de::value::Error as Refusal;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use spanwire_wire::message::*;
use spanwire_wire::{
    Encoding, Limits, Request, commands, encode_command, encode_server_message, server_messages,
};

use crate::proto::{Field, Label, Schema};

/// What the test can ask of one of the structs.
struct Struct {
    name: &'static str,
    /// The names of its fields.
    fields: Vec<&'static str>,
    /// From its JSON to its Protobuf.
    convert: fn(&str) -> Result<Vec<u8>, serde_json::Error>,
}

macro_rules! structs {
    ($($name:ident)*) => { vec![$(Struct {
        name: stringify!($name),
        fields: fields_of::<$name>(),
        convert: |json| serde_json::from_str::<$name>(json).map(|message| message.encode_to_vec()),
    }),*] };
}

fn structs() -> Vec<Struct> {
    structs![
        Error ConnectRequest ConnectResult Dictionary SubscribeRequest SubscribeResult UnsubscribeRequest
        UnsubscribeResult PublishRequest PublishResult PresenceRequest PresenceResult PresenceStatsRequest
        PresenceStatsResult HistoryRequest StreamPosition HistoryResult PingRequest PingResult SendRequest
        RpcRequest RpcResult RefreshRequest RefreshResult SubRefreshRequest SubRefreshResult TrackBatch KeyedItem
        FilterNode Publication ClientInfo Join Leave Unsubscribe Message Subscribe Connect Disconnect Refresh
        EmulationRequest
    ]
}

#[test]
fn the_schema_and_the_structs_have_the_same_fields() {
    let schema = Schema::read();
    for Struct { name, mut fields, .. } in structs() {
        let mut declared: Vec<_> = schema.fields(name).iter().map(|field| field.name.as_str()).collect();
        declared.sort_unstable();
        fields.sort_unstable();
        assert_eq!(declared, fields, "{name}");
    }
    let envelopes = ["Command", "Reply", "Push"];
    assert_eq!(schema.0.len(), structs().len() + envelopes.len(), "each message of the schema is compared");
}

#[test]
fn every_field_has_the_number_and_the_type_of_the_schema() {
    let schema = Schema::read();
    for Struct { name, convert, .. } in structs() {
        for field in schema.fields(name) {
            for (json, expected) in samples(name, field) {
                let json = format!(r#"{{"{}":{json}}}"#, field.name);
                let protobuf = convert(&json).unwrap_or_else(|error| panic!("{name} {json}: {error}"));
                assert_eq!(protobuf, expected, "{name} {json}");
            }
            for json in misfits(field) {
                let json = format!(r#"{{"{}":{json}}}"#, field.name);
                assert!(convert(&json).is_err(), "{name} {json}");
            }
        }
    }
}

#[test]
fn every_request_outcome_and_event_has_the_number_of_the_schema() {
    let schema = Schema::read();
    for field in schema.fields("Command").iter().filter(|field| field.name != "id") {
        let json = format!(r#"{{"id":1,"{}":{{}}}}"#, field.name);
        let command = commands(Encoding::Json, json.as_bytes(), &Limits::COMMANDS).next();
        let command = command.expect("one command").expect("it is well formed");
        assert_ne!(command.request, Request::Unknown, "{json}");
        let expected = prefixed([&[0x08, 1][..], &delimited(field.number, b"")].concat());
        assert_eq!(encode_command(Encoding::Protobuf, &command), expected, "{json}");
    }
    let reply = |json: &str| {
        let message = server_messages(Encoding::Json, json.as_bytes(), &Limits::REPLIES).next();
        encode_server_message(Encoding::Protobuf, &message.expect("one message").expect("it is well formed"))
    };
    let fields = schema.fields("Reply").iter().filter(|field| !["id", "push"].contains(&field.name.as_str()));
    for field in fields {
        let expected = prefixed([&[0x08, 1][..], &delimited(field.number, b"")].concat());
        assert_eq!(reply(&format!(r#"{{"id":1,"{}":{{}}}}"#, field.name)), expected, "{}", field.name);
    }
    let push = schema.fields("Reply").iter().find(|field| field.name == "push").expect("replies hold pushes");
    for field in schema.fields("Push") {
        let (json, body) = match field.kind.as_str() {
            "int64" => ("-1", [&key(field.number, 0)[..], &[0xff; 9], &[1]].concat()),
            "string" => (r#""c""#, delimited(field.number, b"c")),
            _ => ("{}", delimited(field.number, b"")),
        };
        let expected = prefixed(delimited(push.number, &body));
        assert_eq!(reply(&format!(r#"{{"push":{{"{}":{json}}}}}"#, field.name)), expected, "{}", field.name);
    }
}

/// Values of a field in JSON, and the Protobuf of a message which has only that.
fn samples(message: &str, field: &Field) -> Vec<(&'static str, Vec<u8>)> {
    let number = field.number;
    let varint = |value: &[u8]| [&key(number, 0)[..], value].concat();
    let minus_one = || varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    match (field.label, field.kind.as_str()) {
        (Label::Single, "string") => vec![(r#""x""#, delimited(number, b"x"))],
        (Label::Single, "bytes") if message == "EmulationRequest" => {
            vec![(r#""7""#, delimited(number, b"7"))]
        }
        (Label::Single, "bytes") => {
            vec![("7", delimited(number, b"7")), ("null", delimited(number, b"null"))]
        }
        (Label::Single, "bool") => vec![("true", varint(&[1])), ("false", vec![])],
        (Label::Single, "uint32") => {
            vec![("4294967295", varint(&[0xff, 0xff, 0xff, 0xff, 0x0f])), ("0", vec![])]
        }
        (Label::Single, "uint64") => vec![("18446744073709551615", minus_one())],
        (Label::Single, "int32") => vec![("5", varint(&[5])), ("-1", minus_one())],
        (Label::Single, "int64") => {
            vec![("4294967296", varint(&[0x80, 0x80, 0x80, 0x80, 0x10])), ("-1", minus_one())]
        }
        (Label::Single, "sint64") => {
            vec![("-1", varint(&[1])), ("4294967296", varint(&[0x80, 0x80, 0x80, 0x80, 0x20]))]
        }
        (Label::Single, _) => vec![("{}", delimited(number, b"")), ("null", vec![])],
        (Label::Repeated, "string") => {
            vec![(r#"["x","y"]"#, [delimited(number, b"x"), delimited(number, b"y")].concat())]
        }
        (Label::Repeated, _) => vec![("[{},{}]", [delimited(number, b""), delimited(number, b"")].concat())],
        (Label::Map, "string") => vec![(r#"{"a":"b"}"#, delimited(number, b"\x0a\x01a\x12\x01b"))],
        // A zero value is left out of the entry, as a decoder must expect.
        (Label::Map, _) => vec![(r#"{"a":{}}"#, delimited(number, b"\x0a\x01a"))],
    }
}

/// Values in JSON which the type of a field cannot hold.
fn misfits(field: &Field) -> &'static [&'static str] {
    match (field.label, field.kind.as_str()) {
        (Label::Single, "string") => &["1", "{}"],
        (Label::Single, "bytes") => &["", "x"],
        (Label::Single, "bool") => &["1", "\"true\""],
        (Label::Single, "uint32") => &["-1", "4294967296", "\"1\""],
        (Label::Single, "uint64") => &["-1", "18446744073709551616"],
        (Label::Single, "int32") => &["2147483648", "-2147483649"],
        (Label::Single, "int64" | "sint64") => &["9223372036854775808"],
        (Label::Single, _) => &["[]", "1"],
        (Label::Repeated, _) => &["{}", "[1]"],
        (Label::Map, _) => &["[]", r#"{"a":1}"#],
    }
}

fn key(number: u32, wire_type: u32) -> Vec<u8> {
    varint(number << 3 | wire_type)
}

fn delimited(number: u32, bytes: &[u8]) -> Vec<u8> {
    [key(number, 2), varint(bytes.len() as u32), bytes.to_vec()].concat()
}

fn prefixed(message: Vec<u8>) -> Vec<u8> {
    [varint(message.len() as u32), message].concat()
}

fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The names under which a struct looks for its fields.
fn fields_of<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    let mut fields = Vec::new();
    // It reports the names and then gives up, so there is nothing but an error to be had.
    let _ = T::deserialize(Spy(&mut fields));
    fields
}

struct Spy<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Spy<'_> {
    type Error = Refusal;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Refusal> {
        self.0.extend_from_slice(fields);
        Err(serde::de::Error::custom("the names are all that was wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(serde::de::Error::custom("every message is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

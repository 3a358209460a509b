//! Properties: any message of the schema, any bytes at all.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use spanwire_wire::{Encoding, Limits, commands, is_json, server_messages};

use crate::cases::Any;
use crate::proto::{Field, Label, Schema};

/// How many messages deep a generated one goes.
const DEPTH: usize = 4;

proptest! {
    #[test]
    fn every_command_means_the_same_in_both_encodings(json in any_of("Command")) {
        means_the_same("command", &json)?;
    }

    #[test]
    fn every_reply_means_the_same_in_both_encodings(json in any_of("Reply")) {
        means_the_same("reply", &json)?;
    }

    #[test]
    fn every_emulation_request_means_the_same_in_both_encodings(node: String, session: String, data: String) {
        means_the_same("emulation", &json!({ "node": node, "session": session, "data": data }))?;
    }

    #[test]
    fn any_bytes_are_messages_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        for encoding in Encoding::ALL {
            let understood = commands(encoding, &bytes, &Limits::COMMANDS).filter(Result::is_ok).count();
            prop_assert!(understood <= bytes.len());
            let understood = server_messages(encoding, &bytes, &Limits::REPLIES).filter(Result::is_ok).count();
            prop_assert!(understood <= bytes.len());
        }
    }

    #[test]
    fn json_is_what_a_parser_takes(text in "[\\[\\]{},:\"\\\\0-9eE.+ \n-]{0,12}") {
        prop_assert_eq!(is_json(text.as_bytes()), parses(&text));
    }
}

/// Takes a message from JSON to JSON and to Protobuf and expects it unchanged.
fn means_the_same(kind: &str, json: &Value) -> Result<(), TestCaseError> {
    let frame = json.to_string();
    let message = Any::decode(kind, Encoding::Json, frame.as_bytes());
    let Some(message) = message else { return Err(TestCaseError::fail(format!("refused: {frame}"))) };
    for encoding in Encoding::ALL {
        let frame = message.encode(encoding);
        prop_assert_eq!(Any::decode(kind, encoding, &frame), Some(message.clone()));
    }
    Ok(())
}

/// Whether serde_json can build it, or only refuses because a number is too big for it.
fn parses(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => true,
        Err(error) => error.to_string().starts_with("number out of range"),
    }
}

/// A message of the schema with any of its fields.
fn any_of(message: &'static str) -> impl Strategy<Value = Value> {
    any_object(&Schema::read(), message, DEPTH)
}

fn any_object(schema: &Schema, message: &str, depth: usize) -> BoxedStrategy<Value> {
    let fields =
        schema.fields(message).iter().filter(|field| depth > 1 || !schema.0.contains_key(&field.kind));
    let members: Vec<_> = fields
        .map(|field| option::of((Just(field.name.clone()), any_value(schema, field, depth - 1))).boxed())
        .collect();
    members.prop_map(|members| members.into_iter().flatten().collect::<Map<_, _>>().into()).boxed()
}

fn any_value(schema: &Schema, field: &Field, depth: usize) -> BoxedStrategy<Value> {
    let single = match field.kind.as_str() {
        "string" => any::<String>().prop_map(Value::from).boxed(),
        "bool" => any::<bool>().prop_map(Value::from).boxed(),
        "uint32" => any::<u32>().prop_map(Value::from).boxed(),
        "int32" => any::<i32>().prop_map(Value::from).boxed(),
        "uint64" => any::<u64>().prop_map(Value::from).boxed(),
        "int64" | "sint64" => any::<i64>().prop_map(Value::from).boxed(),
        "bytes" => any_payload(),
        message => any_object(schema, message, depth),
    };
    match field.label {
        Label::Single => single,
        Label::Repeated => vec(single, 0..3).prop_map(Value::from).boxed(),
        Label::Map => btree_map(any::<String>(), single, 0..3)
            .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into())
            .boxed(),
    }
}

fn any_payload() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
    .boxed()
}

//! The golden file: what every message looks like in both encodings, for us and for other languages.
//!
//! After a change on purpose,
//! `SPANWIRE_BLESS=1 cargo test -p spanwire-wire --test wire the_golden_file` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cases::{self, Any};
use crate::proto::{Label, Schema};
use serde::{Deserialize, Serialize};
use spanwire_wire::Encoding;

/// A line of `testdata/messages.json`; what it means stands in `testdata/README.md`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Golden {
    name: String,
    kind: String,
    json: String,
    protobuf: String,
}

impl Golden {
    fn of(name: &str, message: &Any) -> Self {
        Self {
            name: name.to_owned(),
            kind: message.kind().to_owned(),
            json: String::from_utf8(message.encode(Encoding::Json).into()).expect("JSON is UTF-8"),
            protobuf: hex(&message.encode(Encoding::Protobuf)),
        }
    }

    fn frame(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Json => self.json.clone().into_bytes(),
            Encoding::Protobuf => unhex(&self.protobuf),
        }
    }
}

#[test]
fn the_golden_file_holds_what_we_encode() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/messages.json");
    let encoded: Vec<_> = cases::all().iter().map(|(name, message)| Golden::of(name, message)).collect();
    if std::env::var_os("SPANWIRE_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&encoded).expect("strings are JSON");
        std::fs::write(&path, text + "\n").expect("testdata can be written to");
    }
    let stored = goldens();
    for (stored, encoded) in stored.iter().zip(&encoded) {
        assert_eq!(stored, encoded);
    }
    assert_eq!(stored.len(), encoded.len());
}

#[test]
fn every_golden_decodes_to_the_same_message_from_both_encodings() {
    for (golden, (name, message)) in goldens().iter().zip(cases::all()) {
        for encoding in Encoding::ALL {
            let decoded = Any::decode(&golden.kind, encoding, &golden.frame(encoding));
            assert_eq!(decoded.as_ref(), Some(&message), "{name} from {encoding:?}");
        }
    }
}

#[test]
fn every_golden_survives_being_cut_at_every_byte() {
    for golden in goldens().iter().filter(|golden| golden.kind != "emulation") {
        for encoding in Encoding::ALL {
            let frame = golden.frame(encoding);
            for cut in 0..frame.len() {
                let decoded = Any::decode(&golden.kind, encoding, &frame[..cut]);
                assert_eq!(decoded, None, "{} in {encoding:?}, the first {cut} bytes", golden.name);
            }
        }
    }
}

#[test]
fn every_golden_survives_the_change_of_any_byte() {
    for golden in goldens() {
        for encoding in Encoding::ALL {
            let frame = golden.frame(encoding);
            for at in 0..frame.len() {
                for byte in [0x00, 0x0a, b'"', b'[', 0x7f, 0x80, 0xff] {
                    let mut changed = frame.clone();
                    changed[at] = byte;
                    if let Some(message) = Any::decode(&golden.kind, encoding, &changed) {
                        // What we understood, others must understand as we did.
                        let again = message.encode(encoding);
                        assert_eq!(
                            Any::decode(&golden.kind, encoding, &again),
                            Some(message),
                            "{}",
                            golden.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_goldens_show_every_field_of_the_schema_and_no_other() {
    let schema = Schema::read();
    let mut shown = BTreeSet::new();
    for golden in goldens() {
        let root = match golden.kind.as_str() {
            "command" => "Command",
            "reply" => "Reply",
            _ => "EmulationRequest",
        };
        let json = serde_json::from_str(&golden.json).expect("a golden is JSON");
        walk(&schema, root, &json, &mut shown);
    }
    for (message, fields) in &schema.0 {
        for field in fields {
            let name = format!("{message}.{}", field.name);
            assert!(shown.contains(&name), "no golden has {name}");
        }
    }
}

/// Collects the fields which a message has; panics at one that the schema has not.
fn walk(schema: &Schema, message: &str, json: &serde_json::Value, shown: &mut BTreeSet<String>) {
    for (name, value) in json.as_object().expect("a message is an object") {
        let field = schema.fields(message).iter().find(|field| field.name == *name);
        let field = field.unwrap_or_else(|| panic!("client.proto has no {message}.{name}"));
        shown.insert(format!("{message}.{name}"));
        if !schema.0.contains_key(&field.kind) {
            continue;
        }
        match (field.label, value) {
            (Label::Single, value) => walk(schema, &field.kind, value, shown),
            (Label::Repeated, serde_json::Value::Array(values)) => {
                values.iter().for_each(|value| walk(schema, &field.kind, value, shown));
            }
            (Label::Map, serde_json::Value::Object(values)) => {
                values.values().for_each(|value| walk(schema, &field.kind, value, shown));
            }
            (label, value) => panic!("{message}.{name} should be {label:?}, but is {value}"),
        }
    }
}

fn goldens() -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/messages.json");
    let text = std::fs::read(path).expect("the golden file is there");
    serde_json::from_slice(&text).expect("the golden file is JSON")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).expect("a digit") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

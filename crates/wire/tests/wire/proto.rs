//! A reader for as much of the proto language as `client.proto` uses.

use std::collections::BTreeMap;

/// The messages of `client.proto` by name.
pub(crate) struct Schema(pub(crate) BTreeMap<String, Vec<Field>>);

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) label: Label,
    /// A scalar type, or the name of a message. Of a map, the type of its values.
    pub(crate) kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Single,
    Repeated,
    Map,
}

impl Schema {
    pub(crate) fn read() -> Self {
        let mut messages = BTreeMap::new();
        let mut open: Option<(String, Vec<Field>)> = None;
        for line in include_str!("../../client.proto").lines() {
            let line = line.split("//").next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix("message ") {
                let (name, rest) = name.split_once(" {").expect("a message opens on its first line");
                open = Some((name.to_owned(), Vec::new()));
                if rest != "}" {
                    continue;
                }
            }
            if line.ends_with('}') {
                let (name, fields) = open.take().expect("only messages are closed");
                assert!(messages.insert(name.clone(), fields).is_none(), "{name} is there twice");
            } else if let Some((_, fields)) = &mut open
                && !line.is_empty()
                && !line.starts_with("reserved ")
            {
                fields.push(Field::read(line));
            }
        }
        assert!(open.is_none(), "the last message is not closed");
        Self(messages)
    }

    pub(crate) fn fields(&self, message: &str) -> &[Field] {
        self.0.get(message).unwrap_or_else(|| panic!("client.proto has no {message}"))
    }
}

impl Field {
    fn read(line: &str) -> Self {
        let (declared, number) = line.trim_end_matches(';').split_once(" = ").expect("a field has a number");
        let (kind, name) = declared.rsplit_once(' ').expect("a field has a type and a name");
        let (label, kind) = if let Some(kind) = kind.strip_prefix("repeated ") {
            (Label::Repeated, kind)
        } else if let Some(kind) = kind.strip_prefix("map<string, ") {
            (Label::Map, kind.trim_end_matches('>'))
        } else {
            (Label::Single, kind)
        };
        let number = number.parse().expect("a field's number is one");
        Self { name: name.to_owned(), number, label, kind: kind.to_owned() }
    }
}

//! `POST /api`: Centrifugo's older form of the server API, in which each line of the body is a command.
//!
//! Its clients still speak it (gocent among them), and Centrifugo itself keeps it until its version 7.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::Failure;
use super::{COMMANDS_MAX, Method, Request};
use spanwire_wire::ErrorCode;

/// A command: the name of a method, and what its body would be.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    method: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

/// Commands, in their order. One that is not understood is answered with an error, and the others are done.
#[derive(Debug, PartialEq)]
pub struct Lines(pub Vec<(Option<Method>, Result<Request, Failure>)>);

impl Lines {
    /// Reads them; what separates them is what JSON needs no separator for.
    ///
    /// # Errors
    /// The body is not made of commands, has none, or has more than [`COMMANDS_MAX`].
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(body)
            .map_err(|error| Failure::Malformed(format!("The body is not UTF-8: {error}.")))?;
        let mut commands = Vec::new();
        for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
            let line: Line = value.and_then(Line::read).map_err(|error| {
                Failure::Malformed(format!(
                    "The body must be lines of {{\"method\":…,\"params\":…}}: {error}."
                ))
            })?;
            if commands.len() == COMMANDS_MAX {
                return Err(Failure::Malformed(format!(
                    "The body may have {COMMANDS_MAX} commands at most."
                )));
            }
            commands.push(line.understand());
        }
        if commands.is_empty() {
            return Err(Failure::Malformed("The body has no command.".to_owned()));
        }
        Ok(Self(commands))
    }
}

impl Line {
    fn read(value: &RawValue) -> serde_json::Result<Self> {
        // The derived reader would take an array of the fields' values as well.
        if !value.get().starts_with('{') {
            return Err(serde::de::Error::custom("a line must be an object"));
        }
        serde_json::from_str(value.get())
    }

    fn understand(self) -> (Option<Method>, Result<Request, Failure>) {
        match Method::named(&self.method) {
            None => (None, Err(ErrorCode::MethodNotFound.into())),
            Some(method) => {
                let body = self.params.as_ref().map_or("{}", |params| params.get());
                (Some(method), Request::read(method, body.as_bytes()))
            }
        }
    }
}

/// Adds the line that answers a command.
pub(super) fn write(into: &mut String, outcome: &Result<Box<RawValue>, Failure>) {
    // Writing into a text does not fail.
    let _ = writeln!(into, "{}", super::reply::envelope(outcome));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_and_what_is_wrong_with_one_is_its_own() {
        let body = b"{\"method\":\"info\"}\n{\"method\":\"publish\",\"params\":{\"channel\":\"a\"}}\n\
            {\"method\":\"teleport\",\"params\":{}}{\"method\":\"presence\",\"params\":[]}\n\n";
        let Lines(commands) = Lines::read(body).unwrap();
        let codes: Vec<_> = commands
            .iter()
            .map(|(method, request)| (*method, request.as_ref().err().map(Failure::reason)))
            .collect();
        let expected = [
            (Some(Method::Info), None),
            (Some(Method::Publish), Some(ErrorCode::BadRequest)),
            (None, Some(ErrorCode::MethodNotFound)),
            (Some(Method::Presence), Some(ErrorCode::BadRequest)),
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_body_without_commands_or_with_too_many_is_not_begun() {
        let many = "{}".repeat(COMMANDS_MAX + 1);
        for body in ["", "\n", "hello", "[]", "{\"method\":1}", "{\"method\":\"info\"", &many] {
            assert!(matches!(Lines::read(body.as_bytes()), Err(Failure::Malformed(_))), "{body:.40}");
        }
        assert_eq!(Lines::read(&b"{}".repeat(COMMANDS_MAX)).unwrap().0.len(), COMMANDS_MAX);
    }
}

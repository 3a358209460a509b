//! `batch`: several calls in one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use spanwire_wire::ErrorCode;

use super::call::Call;
use super::failure::{ApiError, Failure};
use super::{Method, Request, World, openapi};

/// Most commands of one call (error 107).
pub const COMMANDS_MAX: usize = 1000;

/// How many of them are under way at once, where their order does not matter.
const AT_ONCE: usize = 256;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["commands"]))]
pub(super) struct Commands {
    /// The calls: at least one, and 1,000 at most.
    #[schemars(length(min = 1, max = 1000))]
    commands: Vec<Command>,
    /// Whether they may be done side by side; else each begins when the one before it is done.
    parallel: bool,
}

/// An object whose one key is the name of a method, and whose value is what its body would be.
struct Command {
    method: Method,
    body: Box<RawValue>,
}

/// Several calls in one.
#[derive(Debug, PartialEq)]
pub struct Batch {
    /// The calls: none of them a batch, and [`COMMANDS_MAX`] at most. One that asks for what nobody can have is answered
    /// with an error, and the others are done.
    pub requests: Vec<(Method, Result<Request, ErrorCode>)>,
    /// Whether they may be done side by side; else each begins when the one before it is done.
    pub parallel: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Replies {
    /// One for each command, in their order.
    replies: Vec<Reply>,
}

/// The result under the method's name, or the error.
struct Reply {
    method: Method,
    outcome: Result<Box<RawValue>, Failure>,
}

impl Call for Batch {
    type Body = (Commands,);
    type Result = Replies;

    fn understand((Commands { commands, parallel },): Self::Body) -> Result<Self, Failure> {
        if commands.is_empty() || commands.len() > COMMANDS_MAX {
            return Err(ErrorCode::BadRequest.into());
        }
        let requests =
            commands.iter().enumerate().map(|(index, Command { method, body })| {
                match Request::read(*method, body.get().as_bytes()) {
                    Ok(request) => Ok((*method, Ok(request))),
                    Err(Failure::Refused(code)) => Ok((*method, Err(code))),
                    Err(Failure::Malformed(trouble)) => Err(Failure::Malformed(format!(
                        "The body is not understood: commands[{index}].{}: {trouble}",
                        method.name()
                    ))),
                }
            });
        Ok(Self { requests: requests.collect::<Result<_, _>>()?, parallel })
    }

    async fn answer(self, world: World<'_>) -> Result<Replies, Failure> {
        let mut replies = Vec::with_capacity(self.requests.len());
        let at_once = if self.parallel { AT_ONCE } else { 1 };
        let mut requests = self.requests.into_iter();
        loop {
            let some: Vec<_> = requests.by_ref().take(at_once).map(|each| reply(world, each)).collect();
            if some.is_empty() {
                break;
            }
            replies.extend(join_all(some).await);
        }
        Ok(Replies { replies })
    }
}

async fn reply(world: World<'_>, (method, request): (Method, Result<Request, ErrorCode>)) -> Reply {
    let outcome = match request {
        Ok(request) => request.answer(world).await,
        Err(code) => Err(code.into()),
    };
    Reply { method, outcome }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let members: BTreeMap<String, Box<RawValue>> = Deserialize::deserialize(from)?;
        let mut members = members.into_iter();
        let (Some((name, body)), None) = (members.next(), members.next()) else {
            return Err(D::Error::custom("a command has one key, the name of its method"));
        };
        match Method::named(&name) {
            Some(method) if method != Method::Batch => Ok(Self { method, body }),
            _ => Err(D::Error::custom("a command must be a method of the server API other than batch")),
        }
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut reply = to.serialize_map(Some(1))?;
        match &self.outcome {
            Ok(result) => reply.serialize_entry(self.method.name(), result)?,
            Err(failure) => reply.serialize_entry("error", &ApiError::from(failure.reason()))?,
        }
        reply.end()
    }
}

/// Every method that may be in a batch.
fn methods() -> impl Iterator<Item = Method> {
    Method::ALL.into_iter().filter(|method| *method != Method::Batch)
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let bodies = methods().map(|method| (method.name().to_owned(), openapi::request_of(method)));
        json_schema!({
            "description": "One call: the name of a method, and what its body would be.",
            "type": "object",
            "properties": bodies.collect::<serde_json::Map<_, _>>(),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

impl JsonSchema for Reply {
    fn schema_name() -> Cow<'static, str> {
        "Reply".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let error = generator.subschema_for::<ApiError>().to_value();
        let results = methods().map(|method| (method.name().to_owned(), openapi::result_of(method)));
        json_schema!({
            "description": "What came of one call: the result under the name of its method, or the error.",
            "type": "object",
            "properties": results.chain([("error".to_owned(), error)]).collect::<serde_json::Map<_, _>>(),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::read;

    #[test]
    fn each_command_has_one_method_and_its_body() {
        let body =
            br#"{"commands":[{"publish":{"channel":"a","data":1}},{"info":{}},{"publish":{"channel":"a"}}],
            "parallel":true}"#;
        let batch: Batch = read(body).unwrap();
        assert!(batch.parallel);
        assert_eq!(
            batch.requests.iter().map(|(method, request)| (*method, request.is_ok())).collect::<Vec<_>>(),
            [(Method::Publish, true), (Method::Info, true), (Method::Publish, false)]
        );
    }

    #[test]
    fn a_batch_that_is_not_understood_is_not_begun() {
        let table = [
            (
                r#"{"commands":[{"publish":{"channel":1}}]}"#,
                "commands[0].publish: The body is not understood",
            ),
            (r#"{"commands":[{"info":{},"publish":{}}]}"#, "one key"),
            (r#"{"commands":[{}]}"#, "one key"),
            (r#"{"commands":[{"batch":{"commands":[]}}]}"#, "other than batch"),
            (r#"{"commands":[{"teleport":{}}]}"#, "other than batch"),
        ];
        for (body, expected) in table {
            let Err(Failure::Malformed(trouble)) = read::<Batch>(body.as_bytes()) else { panic!("{body}") };
            assert!(trouble.contains(expected), "{trouble}");
        }
        let many = format!("{{\"commands\":[{}]}}", vec![r#"{"info":{}}"#; COMMANDS_MAX + 1].join(","));
        for body in [r#"{"commands":[]}"#, "{}", &many] {
            let refused = Failure::Refused(ErrorCode::BadRequest);
            assert_eq!(read::<Batch>(body.as_bytes()), Err(refused), "{:.60}", body);
        }
    }
}

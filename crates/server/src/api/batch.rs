//! `batch`: several calls in one.

use futures_util::future::join_all;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use spanwire_wire::ErrorCode;

use super::failure::{Failure, error, parse};
use super::{Method, Request, World};

/// Most commands of one call (error 107).
pub const COMMANDS_MAX: usize = 1000;

/// How many of them are under way at once, where their order does not matter.
const AT_ONCE: usize = 256;

#[derive(Deserialize)]
struct Commands<'a> {
    #[serde(borrow, default)]
    commands: Vec<Command<'a>>,
    #[serde(default)]
    parallel: bool,
}

/// An object whose one key is the name of a method, and whose value is what its body would be.
struct Command<'a> {
    method: Method,
    body: &'a RawValue,
}

/// Several calls in one.
#[derive(Debug, PartialEq)]
pub struct Batch {
    /// The calls: none of them a batch, and [`COMMANDS_MAX`] at most.
    pub requests: Vec<(Method, Request)>,
    /// Whether they may be done side by side; else each begins when the one before it is done.
    pub parallel: bool,
}

impl Batch {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let Commands { commands, parallel } = parse(body)?;
        if commands.is_empty() || commands.len() > COMMANDS_MAX {
            return Err(ErrorCode::BadRequest.into());
        }
        let requests = commands.iter().enumerate().map(|(index, command)| {
            match Request::read(command.method, command.body.get().as_bytes()) {
                Ok(request) => Ok((command.method, request)),
                Err(Failure::Malformed(trouble)) => Err(Failure::Malformed(format!(
                    "The body is not understood: commands[{index}].{}: {trouble}",
                    command.method.name()
                ))),
                Err(refused) => Err(refused),
            }
        });
        Ok(Self { requests: requests.collect::<Result<_, _>>()?, parallel })
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
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
        Ok(format!("{{\"replies\":[{}]}}", replies.join(",")))
    }
}

/// The result under the method's name, or the error.
async fn reply(world: World<'_>, (method, request): (Method, Request)) -> String {
    match Box::pin(request.answer(world)).await {
        Ok(result) => format!("{{\"{}\":{result}}}", method.name()),
        Err(failure) => format!("{{\"error\":{}}}", error(failure.reason())),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Command<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let members: std::collections::BTreeMap<String, &'a RawValue> = Deserialize::deserialize(from)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_one_method_and_its_body() {
        let body = br#"{"commands":[{"publish":{"channel":"a","data":1}},{"info":{}}],"parallel":true}"#;
        let batch = Batch::read(body).unwrap();
        assert!(batch.parallel);
        assert_eq!(
            batch.requests.iter().map(|(method, _)| *method).collect::<Vec<_>>(),
            [Method::Publish, Method::Info]
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
            let Err(Failure::Malformed(trouble)) = Batch::read(body.as_bytes()) else { panic!("{body}") };
            assert!(trouble.contains(expected), "{trouble}");
        }
        let many = format!("{{\"commands\":[{}]}}", vec![r#"{"info":{}}"#; COMMANDS_MAX + 1].join(","));
        for body in [r#"{"commands":[]}"#, "{}", &many, r#"{"commands":[{"publish":{"channel":"a"}}]}"#] {
            let refused = Failure::Refused(ErrorCode::BadRequest);
            assert_eq!(Batch::read(body.as_bytes()), Err(refused), "{:.60}", body);
        }
    }
}

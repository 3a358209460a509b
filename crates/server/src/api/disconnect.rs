//! `disconnect`: closes the connections of a user.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::{Order, Whom};
use spanwire_wire::{DisconnectCode, DisconnectReason, ErrorCode};

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::target::Target;
use super::whole;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct How {
    /// Client ids whose connections stay.
    whitelist: Vec<String>,
    /// What the clients are told; without it, that they are disconnected for good (code 3503).
    disconnect: Option<Reason>,
}

/// A disconnect code and its words.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "Disconnect", extend("required" = ["code"]))]
struct Reason {
    /// From 3000 to 4999. Clients come back, or do not, by its range: after 3500 to 3999 and 4500 to 4999 they do not.
    #[schemars(range(min = 3000, max = 4999))]
    #[serde(deserialize_with = "whole::read")]
    code: u32,
    /// At most 123 bytes (RFC 6455 section 5.5).
    reason: String,
}

/// The end of the connections of a user.
#[derive(Debug, PartialEq)]
pub struct Disconnect {
    /// Whose.
    pub whom: Whom,
    /// Client ids that stay.
    pub spared: Vec<String>,
    /// What they are told.
    pub disconnect: DisconnectReason,
}

impl Call for Disconnect {
    type Body = (Target, How);
    type Result = Done;

    fn understand((target, how): Self::Body) -> Result<Self, Failure> {
        let whom = target.whom()?;
        let disconnect = match how.disconnect {
            None => DisconnectCode::ForceNoReconnect.into(),
            Some(Reason { code, reason }) => {
                DisconnectReason::new(code, reason).map_err(|_| ErrorCode::BadRequest)?
            }
        };
        Ok(Self { whom, spared: how.whitelist, disconnect })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let Self { whom, spared, disconnect } = self;
        world.engine.order(&Order::Disconnect { whom, spared, disconnect });
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::read;

    fn told(body: &str) -> Result<(u32, String, usize), Failure> {
        let Disconnect { spared, disconnect, .. } = read(body.as_bytes())?;
        Ok((disconnect.code(), disconnect.text().to_owned(), spared.len()))
    }

    #[test]
    fn a_disconnect_has_a_code_that_clients_understand() {
        let table = [
            (r#"{"user":"ann"}"#, Ok((3503, "force disconnect".to_owned(), 0))),
            (
                r#"{"user":"ann","disconnect":{"code":4001,"reason":"bye"},"whitelist":["c1"]}"#,
                Ok((4001, "bye".to_owned(), 1)),
            ),
            (r#"{"user":"ann","disconnect":{"code":1000}}"#, Err(Failure::Refused(ErrorCode::BadRequest))),
            (r#"{"disconnect":{"code":4001}}"#, Err(Failure::Refused(ErrorCode::BadRequest))),
        ];
        for (body, expected) in table {
            assert_eq!(told(body), expected, "{body}");
        }
    }
}

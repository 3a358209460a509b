//! `disconnect`: closes the connections of a user.

use serde::Deserialize;
use spanwire_hub::{Order, Whom};
use spanwire_wire::{DisconnectCode, DisconnectReason, ErrorCode};

use super::World;
use super::failure::{Failure, parse};
use super::target::Target;

#[derive(Default, Deserialize)]
#[serde(default)]
struct How {
    whitelist: Vec<String>,
    disconnect: Option<Reason>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: u32,
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

impl Disconnect {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let whom = parse::<Target>(body)?.whom()?;
        let how: How = parse(body)?;
        let disconnect = match how.disconnect {
            None => DisconnectCode::ForceNoReconnect.into(),
            Some(Reason { code, reason }) => {
                DisconnectReason::new(code, reason).map_err(|_| ErrorCode::BadRequest)?
            }
        };
        Ok(Self { whom, spared: how.whitelist, disconnect })
    }

    pub(super) fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let Self { whom, spared, disconnect } = self;
        world.engine.order(&Order::Disconnect { whom, spared, disconnect });
        Ok("{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Result<(u32, String, usize), Failure> {
        let Disconnect { spared, disconnect, .. } = Disconnect::read(body.as_bytes())?;
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

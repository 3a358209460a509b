//! `disconnect`: closes the connections of a user.

use serde::Deserialize;
use spanwire_hub::Order;
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

pub(super) fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    world.engine.order(&order(body)?);
    Ok("{}".to_owned())
}

fn order(body: &[u8]) -> Result<Order, Failure> {
    let whom = parse::<Target>(body)?.whom()?;
    let how: How = parse(body)?;
    let disconnect = match how.disconnect {
        None => DisconnectCode::ForceNoReconnect.into(),
        Some(Reason { code, reason }) => {
            DisconnectReason::new(code, reason).map_err(|_| ErrorCode::BadRequest)?
        }
    };
    Ok(Order::Disconnect { whom, spared: how.whitelist, disconnect })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Result<(u32, String, usize), Failure> {
        match order(body.as_bytes())? {
            Order::Disconnect { spared, disconnect, .. } => {
                Ok((disconnect.code(), disconnect.text().to_owned(), spared.len()))
            }
            other => panic!("{other:?}"),
        }
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

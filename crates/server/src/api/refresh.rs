//! `refresh`: changes when the connections of a user expire.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::{Expiry, Order, Whom};

use super::World;
use super::failure::{Failure, parse};
use super::payload;
use super::target::Target;

#[derive(Default, Deserialize)]
#[serde(default)]
struct How {
    expired: bool,
    expire_at: u64,
    info: Option<Box<RawValue>>,
}

/// A change of when connections end.
#[derive(Debug, PartialEq)]
pub struct Refresh {
    /// Whose.
    pub whom: Whom,
    /// When they end.
    pub expiry: Expiry,
    /// What others are told of them from now on; `None` leaves that as it is.
    pub info: Option<Bytes>,
}

impl Refresh {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let whom = parse::<Target>(body)?.whom()?;
        let how: How = parse(body)?;
        let expiry = match (how.expired, how.expire_at) {
            (true, _) => Expiry::Now,
            (false, 0) => Expiry::Never,
            (false, at) => Expiry::At(at),
        };
        let info = payload::maybe(how.info, None)?;
        Ok(Self { whom, expiry, info: (!info.is_empty()).then_some(info) })
    }

    pub(super) fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let Self { whom, expiry, info } = self;
        world.engine.order(&Order::Refresh { whom, expiry, info });
        Ok("{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_ends_now_then_or_never() {
        let table = [
            (r#"{"user":"ann","expired":true,"expire_at":9}"#, Expiry::Now),
            (r#"{"user":"ann","expire_at":9}"#, Expiry::At(9)),
            (r#"{"user":"ann"}"#, Expiry::Never),
        ];
        for (body, expected) in table {
            assert_eq!(Refresh::read(body.as_bytes()).unwrap().expiry, expected, "{body}");
        }
        assert!(Refresh::read(b"{}").is_err());
    }
}

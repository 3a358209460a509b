//! `refresh`: changes when the connections of a user expire.

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::{Expiry, Order, Whom};

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::payload;
use super::place::Done;
use super::target::Target;
use super::whole;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct How {
    /// The connections have expired: they are closed with code 3005.
    expired: bool,
    /// When they expire, in seconds since 1970; 0 is never.
    #[serde(deserialize_with = "whole::read")]
    expire_at: u64,
    /// What others are told of them from now on; without it that stays as it is.
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

impl Call for Refresh {
    type Body = (Target, How);
    type Result = Done;

    fn understand((target, how): Self::Body) -> Result<Self, Failure> {
        let whom = target.whom()?;
        let expiry = match (how.expired, how.expire_at) {
            (true, _) => Expiry::Now,
            (false, 0) => Expiry::Never,
            (false, at) => Expiry::At(at),
        };
        let info = payload::maybe(how.info, None)?;
        Ok(Self { whom, expiry, info: (!info.is_empty()).then_some(info) })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let Self { whom, expiry, info } = self;
        world.engine.order(&Order::Refresh { whom, expiry, info });
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::read;

    #[test]
    fn a_connection_ends_now_then_or_never() {
        let table = [
            (r#"{"user":"ann","expired":true,"expire_at":9}"#, Expiry::Now),
            (r#"{"user":"ann","expire_at":9}"#, Expiry::At(9)),
            (r#"{"user":"ann"}"#, Expiry::Never),
        ];
        for (body, expected) in table {
            assert_eq!(read::<Refresh>(body.as_bytes()).unwrap().expiry, expected, "{body}");
        }
        assert!(read::<Refresh>(b"{}").is_err());
    }
}

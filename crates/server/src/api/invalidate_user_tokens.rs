//! `invalidate_user_tokens`: ends the older tokens of a user, and what they have opened.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::Revocation;

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::revocation::{Term, Whose, name, now_unix, until};
use super::whole;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Which {
    /// Before when they were issued (`iat`), in seconds since 1970; 0 is now. A token without `iat` counts as older.
    #[serde(deserialize_with = "whole::read")]
    issued_before: u64,
    /// Only subscription tokens of this channel; without it, all tokens of the user.
    channel: String,
}

/// The end of all tokens of a user that are older than a moment, such as that of a new password.
#[derive(Debug, PartialEq)]
pub struct InvalidateUserTokens {
    /// Whose.
    pub user: String,
    /// Before when they were issued, in Unix seconds; 0 is now.
    pub issued_before: u64,
    /// Until when that is kept, in Unix seconds; 0 is as long as the node lives.
    pub expire_at: u64,
    /// Only subscription tokens of this channel; `None` is all tokens of the user.
    pub channel: Option<String>,
}

impl Call for InvalidateUserTokens {
    type Body = (Whose, Which, Term);
    type Result = Done;

    fn understand((whose, which, term): Self::Body) -> Result<Self, Failure> {
        let Which { issued_before, channel } = which;
        let channel = (!channel.is_empty()).then(|| name(channel)).transpose()?;
        Ok(Self { user: name(whose.user)?, issued_before, expire_at: term.expire_at, channel })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let Self { user, issued_before, expire_at, channel } = self;
        let now = now_unix();
        let issued_before = if issued_before == 0 { now } else { issued_before };
        let until = until(expire_at, now)?;
        world.engine.revoke(now, Revocation::UserTokens { user, issued_before, channel }, until)?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use spanwire_wire::ErrorCode;

    use super::super::{Method, Request};
    use super::*;

    #[test]
    fn what_is_revoked_has_a_name_that_can_be_kept() {
        let long = "x".repeat(256);
        let table = [
            (Method::InvalidateUserTokens, r#"{"user":"ann"}"#.to_owned(), true),
            (Method::InvalidateUserTokens, r#"{"user":""}"#.to_owned(), false),
            (Method::InvalidateUserTokens, format!(r#"{{"user":"ann","channel":"{long}"}}"#), false),
            (Method::RevokeToken, r#"{"uid":"t1","expire_at":4102444800}"#.to_owned(), true),
            (Method::RevokeToken, "{}".to_owned(), false),
            (Method::RevokeToken, format!(r#"{{"uid":"{long}"}}"#), false),
            (Method::BlockUser, r#"{"user":"ann"}"#.to_owned(), true),
            (Method::BlockUser, r#"{"expire_at":4102444800}"#.to_owned(), false),
            (Method::UnblockUser, r#"{"user":"ann"}"#.to_owned(), true),
            (Method::UnblockUser, "{}".to_owned(), false),
        ];
        for (method, body, is_understood) in table {
            let read = Request::read(method, body.as_bytes());
            match is_understood {
                true => assert!(read.is_ok(), "{body}: {read:?}"),
                false => assert_eq!(read, Err(Failure::Refused(ErrorCode::BadRequest)), "{body}"),
            }
        }
    }

    #[test]
    fn an_entry_ends_in_the_future_or_never() {
        let bad = Err(ErrorCode::BadRequest);
        for (expire_at, expected) in [(0, Ok(None)), (99, bad), (100, bad), (101, Ok(Some(101)))] {
            assert_eq!(until(expire_at, 100), expected, "{expire_at}");
        }
    }
}

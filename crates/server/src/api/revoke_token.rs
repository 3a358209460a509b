//! `revoke_token`: ends one token, and what it has opened.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::Revocation;

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::revocation::{Term, name, now_unix, until};

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["uid"]))]
pub(super) struct Which {
    /// The id of the token: its claim `jti`.
    #[schemars(length(min = 1, max = 255))]
    uid: String,
}

/// The end of one token, be it of a connection or of a subscription.
#[derive(Debug, PartialEq)]
pub struct RevokeToken {
    /// Its id: the claim `jti`.
    pub uid: String,
    /// Until when that is kept, in Unix seconds; 0 is as long as the node lives. The token's own `exp` is enough.
    pub expire_at: u64,
}

impl Call for RevokeToken {
    type Body = (Which, Term);
    type Result = Done;

    fn understand((which, term): Self::Body) -> Result<Self, Failure> {
        Ok(Self { uid: name(which.uid)?, expire_at: term.expire_at })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let now = now_unix();
        let until = until(self.expire_at, now)?;
        world.engine.revoke(now, Revocation::Token { id: self.uid }, until)?;
        Ok(Done {})
    }
}

//! `block_user`: closes the connections of a user and lets no new ones in.

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::revocation::{Term, Whose, name, now_unix, until};

/// The end of a user's connections, and of the permission to come back.
#[derive(Debug, PartialEq)]
pub struct BlockUser {
    /// Who.
    pub user: String,
    /// Until when, in Unix seconds; 0 is as long as the node lives.
    pub expire_at: u64,
}

impl Call for BlockUser {
    type Body = (Whose, Term);
    type Result = Done;

    fn understand((whose, term): Self::Body) -> Result<Self, Failure> {
        Ok(Self { user: name(whose.user)?, expire_at: term.expire_at })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let now = now_unix();
        world.engine.block(now, &self.user, until(self.expire_at, now)?)?;
        Ok(Done {})
    }
}

//! `unblock_user`: lets a user in again whom `block_user` has kept out.

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::revocation::{Whose, name};

/// The end of a block. Of a user who is not blocked it changes nothing.
#[derive(Debug, PartialEq)]
pub struct UnblockUser {
    /// Whose.
    pub user: String,
}

impl Call for UnblockUser {
    type Body = (Whose,);
    type Result = Done;

    fn understand((whose,): Self::Body) -> Result<Self, Failure> {
        Ok(Self { user: name(whose.user)? })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        world.engine.unblock(&self.user);
        Ok(Done {})
    }
}

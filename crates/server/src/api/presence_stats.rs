//! `presence_stats`: how many are in a channel.

use schemars::JsonSchema;
use serde::Serialize;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_wire::ErrorCode;

use super::call::Call;
use super::failure::Failure;
use super::place::Place;
use super::{World, presence};

#[derive(Serialize, JsonSchema)]
pub(super) struct Stats {
    /// How many clients are in the channel.
    num_clients: u32,
    /// How many users they belong to; all that are anonymous count as one.
    num_users: u32,
}

/// How many are in a channel.
#[derive(Debug, PartialEq)]
pub struct PresenceStats {
    /// The name of the channel.
    pub channel: String,
}

impl Call for PresenceStats {
    type Body = (Place,);
    type Result = Stats;

    fn understand((Place { channel },): Self::Body) -> Result<Self, Failure> {
        Ok(Self { channel })
    }

    async fn answer(self, world: World<'_>) -> Result<Self::Result, Failure> {
        match presence::ask(world, &self.channel, PresenceRequest::Stats).await? {
            PresenceAnswer::Stats { clients, users } => Ok(Stats { num_clients: clients, num_users: users }),
            _ => Err(ErrorCode::Internal.into()),
        }
    }
}

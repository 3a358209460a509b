//! `presence_stats`: how many are in a channel.

use serde::Serialize;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_wire::ErrorCode;

use super::failure::{Failure, parse, write};
use super::place::Place;
use super::{World, presence};

#[derive(Serialize)]
struct Stats {
    num_clients: u32,
    num_users: u32,
}

/// How many are in a channel.
#[derive(Debug, PartialEq)]
pub struct PresenceStats {
    /// The name of the channel.
    pub channel: String,
}

impl PresenceStats {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let Place { channel } = parse(body)?;
        Ok(Self { channel })
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        match presence::ask(world, &self.channel, PresenceRequest::Stats).await? {
            PresenceAnswer::Stats { clients, users } => {
                write(&Stats { num_clients: clients, num_users: users })
            }
            _ => Err(ErrorCode::Internal.into()),
        }
    }
}

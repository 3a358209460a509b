//! `presence`: who is in a channel.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_wire::ErrorCode;

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::payload::Client;
use super::place::Place;

#[derive(Serialize, JsonSchema)]
pub(super) struct Present {
    /// The clients, by their ids.
    presence: BTreeMap<String, Client>,
}

/// Who is in a channel.
#[derive(Debug, PartialEq)]
pub struct Presence {
    /// The name of the channel.
    pub channel: String,
}

impl Call for Presence {
    type Body = (Place,);
    type Result = Present;

    fn understand((Place { channel },): Self::Body) -> Result<Self, Failure> {
        Ok(Self { channel })
    }

    async fn answer(self, world: World<'_>) -> Result<Self::Result, Failure> {
        match ask(world, &self.channel, PresenceRequest::Get).await? {
            PresenceAnswer::Clients(clients) => {
                let presence = clients.into_iter().map(|(id, info)| (id, info.into())).collect();
                Ok(Present { presence })
            }
            _ => Err(ErrorCode::Internal.into()),
        }
    }
}

/// Asks about the presence of a channel whose namespace has it.
pub(super) async fn ask(
    world: World<'_>,
    channel: &str,
    request: PresenceRequest,
) -> Result<PresenceAnswer, Failure> {
    let (channel, namespace) = world.channel(channel)?;
    if !namespace.presence {
        return Err(ErrorCode::NotAvailable.into());
    }
    match world.engine.presence(channel, request).await? {
        PresenceAnswer::Refused(error) => Err(error.into()),
        answer => Ok(answer),
    }
}

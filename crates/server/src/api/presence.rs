//! `presence`: who is in a channel.

use std::collections::BTreeMap;

use serde::Serialize;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_wire::ErrorCode;

use super::World;
use super::failure::{Failure, parse, write};
use super::payload::Client;
use super::place::Place;

#[derive(Serialize)]
struct Present {
    presence: BTreeMap<String, Client>,
}

pub(super) async fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    let place: Place = parse(body)?;
    match ask(world, &place.channel, PresenceRequest::Get).await? {
        PresenceAnswer::Clients(clients) => {
            let presence = clients.into_iter().map(|(id, info)| (id, info.into())).collect();
            write(&Present { presence })
        }
        _ => Err(ErrorCode::Internal.into()),
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

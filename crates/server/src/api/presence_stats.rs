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

pub(super) async fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    let place: Place = parse(body)?;
    match presence::ask(world, &place.channel, PresenceRequest::Stats).await? {
        PresenceAnswer::Stats { clients, users } => write(&Stats { num_clients: clients, num_users: users }),
        _ => Err(ErrorCode::Internal.into()),
    }
}

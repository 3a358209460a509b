//! `history_remove`: forgets what a channel has kept.

use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, HistoryOptions};
use spanwire_hub::channel::Channel;
use spanwire_wire::ErrorCode;

use super::World;
use super::failure::{Failure, parse};
use super::place::Place;

pub(super) async fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    let place: Place = parse(body)?;
    let (channel, _) = kept(world, &place.channel)?;
    match world.engine.broker(channel, BrokerRequest::RemoveHistory).await? {
        BrokerAnswer::Done => Ok("{}".to_owned()),
        BrokerAnswer::Refused(error) => Err(error.into()),
        _ => Err(ErrorCode::Internal.into()),
    }
}

/// A channel whose namespace keeps history, and how.
pub(super) fn kept(world: World<'_>, channel: &str) -> Result<(Channel, HistoryOptions), ErrorCode> {
    let (channel, namespace) = world.channel(channel)?;
    namespace.history.map(|history| (channel, history)).ok_or(ErrorCode::NotAvailable)
}

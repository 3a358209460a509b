//! `history_remove`: forgets what a channel has kept.

use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, HistoryOptions};
use spanwire_hub::channel::Channel;
use spanwire_wire::ErrorCode;

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::{Done, Place};

/// That a channel forgets what it has kept.
#[derive(Debug, PartialEq)]
pub struct HistoryRemove {
    /// The name of the channel.
    pub channel: String,
}

impl Call for HistoryRemove {
    type Body = (Place,);
    type Result = Done;

    fn understand((Place { channel },): Self::Body) -> Result<Self, Failure> {
        Ok(Self { channel })
    }

    async fn answer(self, world: World<'_>) -> Result<Self::Result, Failure> {
        let (channel, _) = kept(world, &self.channel)?;
        match world.engine.broker(channel, BrokerRequest::RemoveHistory).await? {
            BrokerAnswer::Done => Ok(Done {}),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(ErrorCode::Internal.into()),
        }
    }
}

/// A channel whose namespace keeps history, and how.
pub(super) fn kept(world: World<'_>, channel: &str) -> Result<(Channel, HistoryOptions), ErrorCode> {
    let (channel, namespace) = world.channel(channel)?;
    namespace.history.map(|history| (channel, history)).ok_or(ErrorCode::NotAvailable)
}

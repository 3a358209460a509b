//! `unsubscribe`: ends the subscriptions of a user to one channel, or to all.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::{Order, Whom};
use spanwire_wire::UnsubscribeCode;

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::place::Done;
use super::target::Target;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Where {
    /// The name of the channel; empty for all that the user is subscribed to.
    channel: String,
}

/// The end of the subscriptions of a user.
#[derive(Debug, PartialEq)]
pub struct Unsubscribe {
    /// Whose.
    pub whom: Whom,
    /// To which channel; empty for all.
    pub channel: String,
}

impl Call for Unsubscribe {
    type Body = (Target, Where);
    type Result = Done;

    fn understand((target, Where { channel }): Self::Body) -> Result<Self, Failure> {
        Ok(Self { whom: target.whom()?, channel })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let channel = match self.channel.as_str() {
            "" => None,
            name => Some(world.channel(name)?.0),
        };
        world.engine.order(&Order::Unsubscribe { whom: self.whom, channel, code: UnsubscribeCode::Server });
        Ok(Done {})
    }
}

//! `unsubscribe`: ends the subscriptions of a user to one channel, or to all.

use spanwire_hub::{Order, Whom};
use spanwire_wire::UnsubscribeCode;

use super::World;
use super::failure::{Failure, parse};
use super::place::Place;
use super::target::Target;

/// The end of the subscriptions of a user.
#[derive(Debug, PartialEq)]
pub struct Unsubscribe {
    /// Whose.
    pub whom: Whom,
    /// To which channel; empty for all.
    pub channel: String,
}

impl Unsubscribe {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let whom = parse::<Target>(body)?.whom()?;
        let Place { channel } = parse(body)?;
        Ok(Self { whom, channel })
    }

    pub(super) fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let channel = match self.channel.as_str() {
            "" => None,
            name => Some(world.channel(name)?.0),
        };
        world.engine.order(&Order::Unsubscribe { whom: self.whom, channel, code: UnsubscribeCode::Server });
        Ok("{}".to_owned())
    }
}

//! `unsubscribe`: ends the subscriptions of a user to one channel, or to all.

use spanwire_hub::Order;
use spanwire_wire::UnsubscribeCode;

use super::World;
use super::failure::{Failure, parse};
use super::place::Place;
use super::target::Target;

pub(super) fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    let whom = parse::<Target>(body)?.whom()?;
    let place: Place = parse(body)?;
    let channel = match place.channel.as_str() {
        "" => None,
        name => Some(world.channel(name)?.0),
    };
    world.engine.order(&Order::Unsubscribe { whom, channel, code: UnsubscribeCode::Server });
    Ok("{}".to_owned())
}

//! `subscribe`: subscribes the connections of a user to a channel.

use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::channel::{Channel, Epoch, Position};
use spanwire_hub::{Grant, Order, SubscriptionOptions, Whom};

use super::World;
use super::failure::{Failure, parse};
use super::payload;
use super::place::Place;
use super::target::Target;

#[derive(Default, Deserialize)]
#[serde(default)]
struct How {
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    recover_since: Option<Since>,
    r#override: Override,
    expire_at: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Since {
    offset: u64,
    epoch: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Override {
    presence: Option<Switch>,
    join_leave: Option<Switch>,
    force_push_join_leave: Option<Switch>,
    force_positioning: Option<Switch>,
    force_recovery: Option<Switch>,
}

/// The protocol wraps each overridden option so that "off" differs from "not mentioned".
#[derive(Default, Deserialize)]
#[serde(default)]
struct Switch {
    value: bool,
}

/// Subscriptions that the server makes.
#[derive(Debug, PartialEq)]
pub struct Subscribe {
    /// Whose.
    pub whom: Whom,
    /// The name of the channel.
    pub channel: String,
    /// What comes with the subscription.
    pub grant: Grant,
    /// The position behind which publications follow, if the channel still has all of them.
    pub since: Option<Position>,
}

impl Subscribe {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let whom = parse::<Target>(body)?.whom()?;
        let Place { channel } = parse(body)?;
        let how: How = parse(body)?;
        let grant = Grant {
            info: payload::maybe(how.info, how.b64info)?,
            data: payload::maybe(how.data, how.b64data)?,
            expire_at: (how.expire_at != 0).then_some(how.expire_at),
            options: how.r#override.into(),
        };
        let since =
            how.recover_since.map(|Since { offset, epoch }| Position { offset, epoch: Epoch::new(&epoch) });
        Ok(Self { whom, channel, grant, since })
    }

    pub(super) fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let (channel, _): (Channel, _) = world.channel(&self.channel)?;
        let Self { whom, grant, since, .. } = self;
        world.engine.order(&Order::Subscribe { whom, channel, grant, since });
        Ok("{}".to_owned())
    }
}

impl From<Override> for SubscriptionOptions {
    fn from(said: Override) -> Self {
        let value = |switch: Option<Switch>| switch.map(|switch| switch.value);
        Self {
            presence: value(said.presence),
            join_leave: value(said.join_leave),
            force_push_join_leave: value(said.force_push_join_leave),
            force_positioning: value(said.force_positioning),
            force_recovery: value(said.force_recovery),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_whom_where_and_how() {
        let body = br#"{"user":"ann","channel":"news","info":{"a":1},"b64data":"AAE=","expire_at":9,
            "recover_since":{"offset":3,"epoch":"e"},"override":{"presence":{"value":false},"join_leave":{}}}"#;
        let found = Subscribe::read(body).unwrap();
        assert_eq!((found.whom.user.as_str(), found.channel.as_str()), ("ann", "news"));
        assert_eq!(
            (&found.grant.info[..], &found.grant.data[..]),
            (br#"{"a":1}"#.as_slice(), [0, 1].as_slice())
        );
        assert_eq!(found.grant.expire_at, Some(9));
        assert_eq!(found.grant.options.presence, Some(false));
        assert_eq!((found.grant.options.join_leave, found.grant.options.force_recovery), (Some(false), None));
        assert_eq!(found.since, Some(Position { offset: 3, epoch: Epoch::new("e") }));
        assert!(Subscribe::read(br#"{"channel":"news"}"#).is_err());
    }
}

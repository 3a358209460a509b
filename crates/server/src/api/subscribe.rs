//! `subscribe`: subscribes the connections of a user to a channel.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::channel::{Channel, Position};
use spanwire_hub::{Grant, Order, SubscriptionOptions, Whom};

use super::World;
use super::call::Call;
use super::failure::Failure;
use super::payload;
use super::place::{Done, Place, Since};
use super::target::Target;
use super::whole;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct How {
    /// What others in the channel are told of the client.
    info: Option<Box<RawValue>>,
    /// The same in base64, which wins over `info`.
    b64info: Option<String>,
    /// What the client is told with the subscription.
    data: Option<Box<RawValue>>,
    /// The same in base64, which wins over `data`.
    b64data: Option<String>,
    /// The position behind which publications follow, if the channel still has all of them.
    recover_since: Option<Since>,
    /// Options of the channel's namespace that are to be otherwise for this subscription.
    r#override: Override,
    /// When the subscription expires, in seconds since 1970; 0 is never.
    #[serde(deserialize_with = "whole::read")]
    expire_at: u64,
}

/// Options of a namespace that are to be otherwise.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Override {
    /// Whether the client is in the channel's presence.
    presence: Option<Switch>,
    /// Whether others are told when the client comes and goes.
    join_leave: Option<Switch>,
    /// Whether the client is told when others come and go.
    force_push_join_leave: Option<Switch>,
    /// Whether a missed publication is noticed.
    force_positioning: Option<Switch>,
    /// Whether the client recovers what it missed when it comes back.
    force_recovery: Option<Switch>,
}

/// A switch in a wrapping, so that "off" differs from "not mentioned".
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "BoolValue")]
struct Switch {
    /// Whether it is on.
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

impl Call for Subscribe {
    type Body = (Target, Place, How);
    type Result = Done;

    fn understand((target, Place { channel }, how): Self::Body) -> Result<Self, Failure> {
        let whom = target.whom()?;
        let grant = Grant {
            info: payload::maybe(how.info, how.b64info)?,
            data: payload::maybe(how.data, how.b64data)?,
            expire_at: (how.expire_at != 0).then_some(how.expire_at),
            options: how.r#override.into(),
            ..Grant::default()
        };
        Ok(Self { whom, channel, grant, since: how.recover_since.map(Position::from) })
    }

    async fn answer(self, world: World<'_>) -> Result<Done, Failure> {
        let (channel, _): (Channel, _) = world.channel(&self.channel)?;
        let Self { whom, grant, since, .. } = self;
        world.engine.order(&Order::Subscribe { whom, channel, grant, since });
        Ok(Done {})
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
    use crate::api::call::read;
    use spanwire_hub::channel::Epoch;

    #[test]
    fn a_body_says_whom_where_and_how() {
        let body = br#"{"user":"ann","channel":"news","info":{"a":1},"b64data":"AAE=","expire_at":9,
            "recover_since":{"offset":3,"epoch":"e"},"override":{"presence":{"value":false},"join_leave":{}}}"#;
        let found = read::<Subscribe>(body).unwrap();
        assert_eq!((found.whom.user.as_str(), found.channel.as_str()), ("ann", "news"));
        assert_eq!(
            (&found.grant.info[..], &found.grant.data[..]),
            (br#"{"a":1}"#.as_slice(), [0, 1].as_slice())
        );
        assert_eq!(found.grant.expire_at, Some(9));
        assert_eq!(found.grant.options.presence, Some(false));
        assert_eq!((found.grant.options.join_leave, found.grant.options.force_recovery), (Some(false), None));
        assert_eq!(found.since, Some(Position { offset: 3, epoch: Epoch::new("e") }));
        assert!(read::<Subscribe>(br#"{"channel":"news"}"#).is_err());
    }
}

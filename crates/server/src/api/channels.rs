//! `channels`: the channels with subscribers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spanwire_hub::glob;

use super::World;
use super::call::Call;
use super::failure::Failure;

/// The channels with subscribers.
#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Channels {
    /// What their names are like: `*` fits anything, as in `chat:*`, and the empty pattern fits all.
    pub pattern: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Found {
    /// The channels, by their names.
    channels: BTreeMap<String, Channel>,
}

/// How much there is of a channel.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChannelInfo")]
struct Channel {
    /// How many clients are subscribed.
    num_clients: usize,
}

impl Call for Channels {
    type Body = (Self,);
    type Result = Found;

    fn understand((channels,): Self::Body) -> Result<Self, Failure> {
        Ok(channels)
    }

    async fn answer(self, world: World<'_>) -> Result<Found, Failure> {
        let all = world.engine.channels().await?;
        let channels = all
            .into_iter()
            .filter(|(name, _)| self.pattern.is_empty() || glob::fits(&self.pattern, name))
            .map(|(name, num_clients)| (name, Channel { num_clients }))
            .collect();
        Ok(Found { channels })
    }
}

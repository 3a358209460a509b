//! `channels`: the channels with subscribers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::World;
use super::failure::{Failure, parse, write};
use crate::glob;

/// The channels with subscribers.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Channels {
    /// What their names are like: `*` fits anything, and the empty pattern fits all.
    pub pattern: String,
}

#[derive(Serialize)]
struct Found {
    channels: BTreeMap<String, Channel>,
}

#[derive(Serialize)]
struct Channel {
    num_clients: usize,
}

impl Channels {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        parse(body)
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let all = world.engine.channels().await?;
        let channels = all
            .into_iter()
            .filter(|(name, _)| self.pattern.is_empty() || glob::fits(&self.pattern, name))
            .map(|(name, num_clients)| (name, Channel { num_clients }))
            .collect();
        write(&Found { channels })
    }
}

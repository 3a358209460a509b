//! `channels`: the channels with subscribers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::World;
use super::failure::{Failure, parse, write};
use crate::glob;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// In which `*` fits anything; empty is all.
    pattern: String,
}

#[derive(Serialize)]
struct Channels {
    channels: BTreeMap<String, Channel>,
}

#[derive(Serialize)]
struct Channel {
    num_clients: usize,
}

pub(super) async fn call(world: World<'_>, body: &[u8]) -> Result<String, Failure> {
    let wanted: Wanted = parse(body)?;
    let all = world.engine.channels().await?;
    let channels = all
        .into_iter()
        .filter(|(name, _)| wanted.pattern.is_empty() || glob::fits(&wanted.pattern, name))
        .map(|(name, num_clients)| (name, Channel { num_clients }))
        .collect();
    write(&Channels { channels })
}

//! Where a call is about.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::channel::{Epoch, Position};

use super::whole;

/// How most methods say which channel they mean; an empty name is no channel (error 107).
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["channel"]))]
pub(super) struct Place {
    /// The name of the channel.
    #[schemars(length(min = 1))]
    pub(super) channel: String,
}

/// A place in a channel's stream.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "StreamPosition")]
pub(super) struct Since {
    /// The offset of the last publication before it.
    #[serde(deserialize_with = "whole::read")]
    pub(super) offset: u64,
    /// The epoch that the offset belongs to.
    pub(super) epoch: String,
}

impl From<Since> for Position {
    fn from(since: Since) -> Self {
        Self { offset: since.offset, epoch: Epoch::new(&since.epoch) }
    }
}

/// What is answered where there is nothing to tell.
#[derive(serde::Serialize, JsonSchema)]
pub(super) struct Done {}

//! Who is in a channel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ClientInfo;
use crate::json::{is_zero, nullable, object_map};

/// Asks who is in a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
}

/// The clients in a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceResult {
    /// Each client by its id.
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "object_map")]
    pub presence: BTreeMap<String, ClientInfo>,
}

/// Asks how many are in a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceStatsRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
}

/// How many are in a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceStatsResult {
    /// Sessions in the channel.
    #[prost(uint32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub num_clients: u32,
    /// Distinct users among them; all anonymous ones count as one.
    #[prost(uint32, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    pub num_users: u32,
}

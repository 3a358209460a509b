//! What is published, and who published it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable, object, payload};

/// One message of a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Publication {
    /// The payload; a patch against the previous one when [`delta`](Self::delta) is set.
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Who published it; absent when the backend did.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub info: Option<ClientInfo>,
    /// Place in the stream, from 1; 0 in a channel without history.
    #[prost(uint64, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub offset: u64,
    /// Labels given by the publisher; filters look at them.
    #[prost(btree_map = "string, string", tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub tags: BTreeMap<String, String>,
    /// Whether `data` is a patch.
    #[prost(bool, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub delta: bool,
    /// When it was published, Unix milliseconds.
    #[prost(int64, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub time: i64,
    /// The channel it was published to, for subscriptions by pattern.
    #[prost(string, tag = "10")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
    /// Key of a map.
    #[prost(string, tag = "11")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub key: String,
    /// Whether the key was removed.
    #[prost(bool, tag = "12")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub removed: bool,
    /// Order of the entry in a sorted map.
    #[prost(sint64, tag = "13")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub score: i64,
    /// Epoch of the stream, carried by its first publication.
    #[prost(string, tag = "14")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub epoch: String,
    /// The previous payload, between nodes; clients ignore it.
    #[prost(bytes = "bytes", tag = "15")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub prev_data: Bytes,
    /// Version of the key in a shared poll.
    #[prost(uint64, tag = "16")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: u64,
}

/// A client, as the others in a channel may see it.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientInfo {
    /// The user; empty for an anonymous one.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub user: String,
    /// Id of the client, unique per session.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    pub client: String,
    /// Data about the user, from the connection's authentication.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub conn_info: Bytes,
    /// Data about the user in this channel, from the subscription's authorization.
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub chan_info: Bytes,
}

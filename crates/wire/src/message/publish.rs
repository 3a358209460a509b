//! Publishing by a client.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable, payload};

/// Publishes to a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
    /// The payload. Whether it may be empty is the namespace's choice.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Kind of subscription published to: 0 stream, 1 map.
    #[prost(int32, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub r#type: i32,
    /// Key of a map.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub key: String,
    /// Whether the key is removed rather than set.
    #[prost(bool, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub removed: bool,
    /// A name for this publication, chosen by the client and unique to it: published again under the same
    /// name, the first result is returned and nothing is published. See
    /// [`extension`](crate::extension); ignored unless negotiated.
    #[prost(string, tag = "1000")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub sw_key: String,
}

/// The publication was accepted.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishResult {
    /// Offset given to the publication; 0 in a channel without history. Absent unless negotiated, see
    /// [`extension`](crate::extension).
    #[prost(uint64, tag = "1000")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub sw_offset: u64,
    /// Epoch of the stream the offset belongs to. Absent unless negotiated.
    #[prost(string, tag = "1001")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub sw_epoch: String,
}

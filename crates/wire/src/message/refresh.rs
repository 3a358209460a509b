//! Extending the life of a session or of a subscription.

use serde::{Deserialize, Serialize};

use super::Publication;
use crate::json::{is_zero, nullable, objects};

/// Extends a session that expires.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshRequest {
    /// A new connection token. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub token: String,
}

/// How long the session lives now.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshResult {
    /// Id of this client.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub client: String,
    /// Version of the server.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: String,
    /// Whether the client must refresh again within [`ttl`](Self::ttl).
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until the session expires.
    #[prost(uint32, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
}

/// Extends a subscription that expires, or changes what a shared poll tracks.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SubRefreshRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
    /// A new subscription token.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub token: String,
    /// What is asked for: 0 refresh, 1 track, 2 untrack.
    #[prost(int32, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub r#type: i32,
    /// Keys to track.
    #[prost(message, repeated, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub track: Vec<TrackBatch>,
    /// Keys to track no more.
    #[prost(string, repeated, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub untrack: Vec<String>,
}

/// Keys which the backend has signed for a client to track.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackBatch {
    /// The backend's signature over user, channel and keys.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub signature: String,
    /// The keys, in the order in which they were signed.
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub items: Vec<KeyedItem>,
}

/// One key and what the client has of it.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyedItem {
    /// The key.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub key: String,
    /// The version the client has; 0 for none.
    #[prost(uint64, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: u64,
}

/// How long the subscription lives now.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SubRefreshResult {
    /// Whether the client must refresh again within [`ttl`](Self::ttl).
    #[prost(bool, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until the subscription expires.
    #[prost(uint32, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
    /// What is known of the keys newly tracked.
    #[prost(message, repeated, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub items: Vec<Publication>,
}

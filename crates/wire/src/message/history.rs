//! What a channel remembers.

use serde::{Deserialize, Serialize};

use super::Publication;
use crate::json::{is_zero, nullable, object, objects};

/// Asks for publications that a channel remembers.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
    /// Most publications wanted; 0 asks only for the top of the stream, a negative number for as many as the
    /// server allows.
    #[prost(int32, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub limit: i32,
    /// Where to begin, exclusive; absent means at the end that [`reverse`](Self::reverse) selects.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub since: Option<StreamPosition>,
    /// Newest first, or those before [`since`](Self::since).
    #[prost(bool, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub reverse: bool,
}

/// A place in a channel's stream.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamPosition {
    /// Offset of a publication; 0 is the place before the first one.
    #[prost(uint64, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub offset: u64,
    /// The life of the stream in which the offset is meant; empty when unknown.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub epoch: String,
}

/// A page of a channel's history.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryResult {
    /// The publications, in the order asked for; empty when only the top was asked for.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "objects")]
    pub publications: Vec<Publication>,
    /// Epoch of the stream.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    pub epoch: String,
    /// Top of the stream, whatever the page.
    #[prost(uint64, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    pub offset: u64,
}

//! Which publications a subscriber wants, by their tags.

use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable, objects};

/// A node of a filter: a comparison of one tag, or a combination of other nodes.
///
/// Nesting is bounded by the decoders: 100 levels in Protobuf, 128 in JSON.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterNode {
    /// `and`, `or`, `not`; empty for a comparison.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub op: String,
    /// The tag that is compared.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub key: String,
    /// The comparison: `eq`, `neq`, `in`, `nin`, `ex`, `nex`, `sw`, `ew`, `ct`, `lt`, `lte`, `gt`, `gte`.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub cmp: String,
    /// What the tag is compared with.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub val: String,
    /// What the tag is compared with, for `in` and `nin`.
    #[prost(string, repeated, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub vals: Vec<String>,
    /// The nodes that are combined.
    #[prost(message, repeated, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub nodes: Vec<FilterNode>,
}

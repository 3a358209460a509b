//! Subscribing to a channel and leaving it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{FilterNode, Publication};
use crate::json::{is_zero, nullable, object, objects, payload};

/// Asks for the publications of a channel, from now on or from a position.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscribeRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
    /// The subscription token (JWT); empty when the channel needs none.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub token: String,
    /// Whether to deliver what was published after ([`epoch`](Self::epoch), [`offset`](Self::offset)).
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub recover: bool,
    /// Epoch of the position to recover from; empty matches any.
    #[prost(string, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub epoch: String,
    /// Offset of the last publication the client has seen.
    #[prost(uint64, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub offset: u64,
    /// Data for whoever authorizes the subscription; opaque to the server.
    #[prost(bytes = "bytes", tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Wish: watch for gaps.
    #[prost(bool, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub positioned: bool,
    /// Wish: make recovery possible later.
    #[prost(bool, tag = "10")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub recoverable: bool,
    /// Wish: be told who joins and leaves.
    #[prost(bool, tag = "11")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub join_leave: bool,
    /// Wish: receive deltas; only [`DELTA_FOSSIL`](Self::DELTA_FOSSIL) is known.
    #[prost(string, tag = "12")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub delta: String,
    /// Wish: receive only publications whose tags pass.
    #[prost(message, optional, tag = "13")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub tf: Option<FilterNode>,
    /// Wishes as bits, see [`FLAG_COMPACTION`](Self::FLAG_COMPACTION) and
    /// [`FLAG_REJECT_UNRECOVERED`](Self::FLAG_REJECT_UNRECOVERED). Unknown bits are ignored.
    #[prost(int64, tag = "14")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub flag: i64,
    /// Kind of subscription: 0 stream, 1 map, 2 map of clients, 3 map of users, 4 shared poll.
    #[prost(int32, tag = "15")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub r#type: i32,
    /// Phase of a map subscription: 2 state, 1 stream, 0 live.
    #[prost(int32, tag = "16")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub phase: i32,
    /// Where the next page of a map's state begins; empty for the first.
    #[prost(string, tag = "17")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub cursor: String,
    /// Entries per page of a map's state.
    #[prost(int32, tag = "18")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub limit: i32,
    /// Whether a map's state is read in ascending order.
    #[prost(bool, tag = "19")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub asc: bool,
}

impl SubscribeRequest {
    /// Value of [`delta`](Self::delta): patches in the Fossil format.
    pub const DELTA_FOSSIL: &str = "fossil";
    /// Bit of [`flag`](Self::flag): pushes may carry a number in place of the channel's name.
    pub const FLAG_COMPACTION: i64 = 1;
    /// Bit of [`flag`](Self::flag): answer error 112 rather than subscribe with a hole.
    pub const FLAG_REJECT_UNRECOVERED: i64 = 2;
}

/// What a subscription has been granted, and what it missed.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscribeResult {
    /// Whether the client must refresh the subscription within [`ttl`](Self::ttl).
    #[prost(bool, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until the subscription expires.
    #[prost(uint32, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
    /// Whether the client may recover from a later position.
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub recoverable: bool,
    /// Epoch of the stream.
    #[prost(string, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub epoch: String,
    /// The missed publications, oldest first; only when [`recovered`](Self::recovered).
    #[prost(message, repeated, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub publications: Vec<Publication>,
    /// Whether nothing is missing between the position asked for and live publications.
    #[prost(bool, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub recovered: bool,
    /// Top of the stream; after a successful recovery the offset of the request.
    #[prost(uint64, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub offset: u64,
    /// Whether gaps are watched for, so that `epoch` and `offset` mean something.
    #[prost(bool, tag = "10")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub positioned: bool,
    /// Data from whoever authorized the subscription.
    #[prost(bytes = "bytes", tag = "11")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Whether the request asked to recover.
    #[prost(bool, tag = "12")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub was_recovering: bool,
    /// Whether publications may come as deltas.
    #[prost(bool, tag = "13")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub delta: bool,
    /// The number which stands for the channel in pushes; 0 when compaction is off.
    #[prost(int64, tag = "14")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub id: i64,
    /// Kind of subscription, as granted.
    #[prost(int32, tag = "15")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub r#type: i32,
    /// Phase of a map subscription.
    #[prost(int32, tag = "16")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub phase: i32,
    /// Where the next page of a map's state begins; empty after the last.
    #[prost(string, tag = "17")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub cursor: String,
    /// A page of a map's state.
    #[prost(message, repeated, tag = "18")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "objects")]
    pub state: Vec<Publication>,
    /// Hint: milliseconds within which the client should publish a key at most once.
    #[prost(uint32, tag = "19")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub publish_debounce: u32,
}

/// Leaves a channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct UnsubscribeRequest {
    /// The channel. Required.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub channel: String,
}

/// The channel has been left, or was not subscribed to.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct UnsubscribeResult {}

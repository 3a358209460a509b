//! Connecting, and the ping command that no version 2 client sends.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{SubscribeRequest, SubscribeResult};
use crate::json::{is_zero, nullable, object, object_map, payload};

/// Opens a session. The first command on every connection.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectRequest {
    /// The connection token (JWT); empty when the client has none.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub token: String,
    /// Data for whoever authenticates the connection; opaque to the server.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Where to recover server-side subscriptions from, by channel; a unidirectional client names the
    /// channels it wants here. Only `recover`, `offset`, `epoch` and `delta` are read.
    #[prost(btree_map = "string, message", tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object_map")]
    pub subs: BTreeMap<String, SubscribeRequest>,
    /// Name of the SDK or application; by convention at most 16 characters.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub name: String,
    /// Version of the SDK or application; by convention at most 64 characters.
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: String,
    /// Stand-ins for the HTTP headers which browsers cannot set on a WebSocket. Untrusted.
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub headers: BTreeMap<String, String>,
    /// Wishes as bits, see [`FLAG_DICTIONARY`](Self::FLAG_DICTIONARY). Unknown bits are ignored.
    #[prost(int64, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub flag: i64,
    /// Id of the compression dictionary the client still has from an earlier session.
    #[prost(string, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub dict: String,
    /// The application context the client names for choosing a dictionary. Untrusted.
    #[prost(string, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub profile: String,
}

impl ConnectRequest {
    /// Bit of [`flag`](Self::flag): the client can take frames compressed with a dictionary.
    pub const FLAG_DICTIONARY: i64 = 1;
}

/// What a session has been granted.
///
/// The [`Connect`](super::Connect) push carries the same facts under partly different field numbers.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectResult {
    /// Id of this client: a UUID, unique per session.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub client: String,
    /// Version of the server, for people; never empty.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: String,
    /// Whether the client must refresh its token within [`ttl`](Self::ttl).
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until the session expires.
    #[prost(uint32, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
    /// Data from whoever authenticated the connection.
    #[prost(bytes = "bytes", tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// The server-side subscriptions, by channel.
    #[prost(btree_map = "string, message", tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object_map")]
    pub subs: BTreeMap<String, SubscribeResult>,
    /// Seconds between pings of the server; 0 means that it sends none.
    #[prost(uint32, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ping: u32,
    /// Whether the client must answer each ping.
    #[prost(bool, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub pong: bool,
    /// Secret of the session, for transports that send upstream by another request.
    #[prost(string, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub session: String,
    /// The node which holds the session, for the same transports.
    #[prost(string, tag = "10")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub node: String,
    /// Time of the server, Unix milliseconds; 0 unless configured.
    #[prost(int64, tag = "11")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub time: i64,
    /// The wishes of [`ConnectRequest::flag`] that were accepted.
    #[prost(int64, tag = "12")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub flag: i64,
    /// The dictionary for the frames to come.
    #[prost(message, optional, tag = "13")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub dict: Option<Dictionary>,
    /// Extensions that this session may use; absent unless the client asked, see
    /// [`extension`](crate::extension).
    #[prost(string, repeated, tag = "1000")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub sw_ext: Vec<String>,
}

/// A compression dictionary.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Dictionary {
    /// Name of the content: unpadded base64url of the first 12 bytes of its SHA-256.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub id: String,
    /// The content, raw DEFLATE; Protobuf only. Absent if the client already has it.
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// The content, raw DEFLATE in base64; JSON only. Absent if the client already has it.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub data_b64: String,
}

/// A command of the protocol's first version, kept so that it is understood and refused by name.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PingRequest {}

/// The result of a [`PingRequest`].
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct PingResult {}

//! What the server says unasked. [`PushEvent`](crate::PushEvent) lists them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ClientInfo, ConnectResult, SubscribeResult};
use crate::json::{is_zero, nullable, object, object_map, payload};

/// A client came into the channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Join {
    /// Who.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub info: Option<ClientInfo>,
}

/// A client left the channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Leave {
    /// Who.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object")]
    pub info: Option<ClientInfo>,
}

/// The server has ended a subscription.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsubscribe {
    /// Why, for programs: see [`UnsubscribeCode`](crate::UnsubscribeCode). From 2500 on the client
    /// subscribes again.
    #[prost(uint32, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub code: u32,
    /// Why, for people.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub reason: String,
}

/// A message to this client alone, outside of any channel.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The payload.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
}

/// The server has made a subscription for the client after it connected.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribe {
    /// Whether the client may recover from a later position.
    #[prost(bool, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub recoverable: bool,
    /// Epoch of the stream.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub epoch: String,
    /// Top of the stream.
    #[prost(uint64, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub offset: u64,
    /// Whether gaps are watched for.
    #[prost(bool, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub positioned: bool,
    /// Data from whoever made the subscription.
    #[prost(bytes = "bytes", tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
}

/// What a session has been granted, on transports where the client sends no commands.
///
/// The same facts as [`ConnectResult`](super::ConnectResult); the numbers of fields 3 to 6 differ.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Connect {
    /// Id of this client.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub client: String,
    /// Version of the server.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub version: String,
    /// Data from whoever authenticated the connection.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// The server-side subscriptions, by channel.
    #[prost(btree_map = "string, message", tag = "4")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "object_map")]
    pub subs: BTreeMap<String, SubscribeResult>,
    /// Whether the session expires.
    #[prost(bool, tag = "5")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until it does.
    #[prost(uint32, tag = "6")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
    /// Seconds between pings of the server; 0 means that it sends none.
    #[prost(uint32, tag = "7")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ping: u32,
    /// Whether the client must answer each ping.
    #[prost(bool, tag = "8")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub pong: bool,
    /// Secret of the session.
    #[prost(string, tag = "9")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub session: String,
    /// The node which holds the session.
    #[prost(string, tag = "10")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub node: String,
    /// Time of the server, Unix milliseconds; 0 unless configured.
    #[prost(int64, tag = "11")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub time: i64,
}

impl From<ConnectResult> for Connect {
    fn from(result: ConnectResult) -> Self {
        let ConnectResult {
            client, version, expires, ttl, data, subs, ping, pong, session, node, time, ..
        } = result;
        Self { client, version, data, subs, expires, ttl, ping, pong, session, node, time }
    }
}

/// The session ends, on transports without a close frame to say so.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Disconnect {
    /// Why, for programs: see [`DisconnectCode`](crate::DisconnectCode).
    #[prost(uint32, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub code: u32,
    /// Why, for people.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub reason: String,
    /// Left over from the first version of the protocol and never set: clients go by the code.
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub reconnect: bool,
}

/// The backend has changed how long the session lives.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Refresh {
    /// Whether the session expires.
    #[prost(bool, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub expires: bool,
    /// Seconds until it does.
    #[prost(uint32, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub ttl: u32,
}

//! Calls and messages to the application behind the server.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable, payload};

/// A message to the application. The only command without an id and without a reply.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SendRequest {
    /// The payload.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
}

/// A call to the application.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct RpcRequest {
    /// The arguments; may be absent.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
    /// Name of the method; may be empty.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub method: String,
}

/// The application's answer to a [`RpcRequest`].
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct RpcResult {
    /// The answer.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "payload")]
    pub data: Bytes,
}

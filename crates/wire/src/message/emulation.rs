//! The upstream half of transports that only stream downwards.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable, text};

/// The body of a request that carries commands to a session whose own connection only goes downwards.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct EmulationRequest {
    /// The node which holds the session.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub node: String,
    /// Secret of the session.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub session: String,
    /// A frame of commands. Not a payload: in JSON it is a string that holds the frame.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(skip_serializing_if = "is_zero", with = "text")]
    pub data: Bytes,
}

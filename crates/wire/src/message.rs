//! The messages of the protocol, one struct per table of the specification.
//!
//! Each struct is both forms at once: the Protobuf field number and type stand in the `prost` attribute,
//! and the JSON name is the field's own name. Two rules hold everywhere:
//!
//! - A field at its zero value is absent on the wire, in both encodings. The few fields that JSON carries
//!   even at zero have no `skip_serializing_if`.
//! - Unknown fields are ignored, and a JSON `null` means the zero value, so that newer and sloppier peers
//!   are understood. Only for a payload is `null` a value: the four bytes `null`.
//!
//! Fields of type [`Bytes`](bytes::Bytes) are payloads: bytes which we carry and never look into. In JSON
//! they are embedded as they came, as raw JSON. Serialize these types with the functions of this crate; a
//! plain `serde_json::to_string` knows nothing of raw payloads and would print them as arrays of numbers.

mod connect;
mod emulation;
mod filter;
mod history;
mod presence;
mod publication;
mod publish;
mod push;
mod refresh;
mod rpc;
mod subscribe;

pub use connect::{ConnectRequest, ConnectResult, Dictionary, PingRequest, PingResult};
pub use emulation::EmulationRequest;
pub use filter::FilterNode;
pub use history::{HistoryRequest, HistoryResult, StreamPosition};
pub use presence::{PresenceRequest, PresenceResult, PresenceStatsRequest, PresenceStatsResult};
pub use publication::{ClientInfo, Publication};
pub use publish::{PublishRequest, PublishResult};
pub use push::{Connect, Disconnect, Join, Leave, Message, Refresh, Subscribe, Unsubscribe};
pub use refresh::{
    KeyedItem, RefreshRequest, RefreshResult, SubRefreshRequest, SubRefreshResult, TrackBatch,
};
pub use rpc::{RpcRequest, RpcResult, SendRequest};
pub use subscribe::{SubscribeRequest, SubscribeResult, UnsubscribeRequest, UnsubscribeResult};

use serde::{Deserialize, Serialize};

use crate::json::{is_zero, nullable};

/// A refusal, in place of the result that a command asked for.
///
/// Codes 100 to 113 are [`ErrorCode`](crate::ErrorCode); applications use 400 to 1999.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Error {
    /// What went wrong, for programs. Never 0.
    #[prost(uint32, tag = "1")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub code: u32,
    /// What went wrong, for people.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub message: String,
    /// Whether the same command may succeed when it is sent again later.
    #[prost(bool, tag = "3")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub temporary: bool,
    /// Milliseconds after which to try again, and not before; 0 leaves that to the client. The server spreads those it
    /// sends away over time, so a client adds no chance of its own. Only for clients that asked for extensions, see
    /// [`extension`](crate::extension).
    #[prost(uint32, tag = "1000")]
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "nullable")]
    pub sw_retry_after: u32,
}

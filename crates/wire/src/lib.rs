//! The meaning of what a client and the server say to each other: commands, replies and pushes, in JSON and
//! in Protobuf. Knows nothing of sockets, sessions or WebSockets: a frame is a slice of bytes.

#![forbid(unsafe_code)]

mod batch;
pub mod code;
mod command;
mod cursor;
mod decode;
mod encode;
mod encoding;
mod envelope;
mod error;
pub mod extension;
mod json;
mod limits;
pub mod message;
mod push;
mod reply;
mod varint;

pub use batch::Batch;
pub use code::{DisconnectCode, DisconnectReason, ErrorCode, UnsubscribeCode};
pub use command::{Command, Request};
pub use decode::{CommandReader, Commands, ServerMessages, commands, decode_emulation, server_messages};
pub use encode::{
    PING_JSON, PING_PROTOBUF, encode_command, encode_emulation, encode_ping, encode_publication, encode_push,
    encode_reply, encode_server_message,
};
pub use encoding::Encoding;
pub use error::DecodeError;
pub use json::is_json;
pub use limits::Limits;
pub use push::{Push, PushEvent};
pub use reply::{Outcome, Reply, ServerMessage};

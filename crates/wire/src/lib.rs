//! The meaning of what a client and the server say to each other: commands, replies and pushes, in JSON and
//! in Protobuf. Knows nothing of sockets, sessions or WebSockets: a frame is a slice of bytes.

#![forbid(unsafe_code)]

pub mod code;
mod command;
mod encoding;
pub mod extension;
mod json;
mod limits;
pub mod message;
mod push;
mod reply;

pub use code::{DisconnectCode, DisconnectReason, ErrorCode, UnsubscribeCode};
pub use command::{Command, Request};
pub use encoding::Encoding;
pub use json::is_json;
pub use limits::Limits;
pub use push::{Push, PushEvent};
pub use reply::{Outcome, Reply, ServerMessage};

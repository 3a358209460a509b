//! The meaning of what a client and the server say to each other: commands, replies and pushes, in JSON and in
//! Protobuf. Knows nothing of sockets, sessions or WebSockets; a frame is a slice of bytes, wherever it came
//! from.
//!
//! A client sends frames of [`Command`]s. The server sends frames of [`Reply`]s, [`Push`]es and pings, each of
//! them a [`ServerMessage`]. What they can hold stands in [`message`], one struct per message, and in
//! [`code`], the numbers that say why. Both directions are here, so that a Rust client speaks with the same
//! words.
//!
//! ```
//! use spanwire_wire::message::{PublishRequest, PublishResult};
//! use spanwire_wire::{Encoding, Limits, Outcome, Reply, Request, commands, encode_reply};
//!
//! let frame = br#"{"id":1,"publish":{"channel":"tea","data":{"text": "hi"}}}"#;
//! for command in commands(Encoding::Json, frame, &Limits::COMMANDS) {
//!     let command = command?;
//!     let Request::Publish(PublishRequest { channel, data, .. }) = command.request else { continue };
//!     assert_eq!(channel, "tea");
//!     assert_eq!(data, r#"{"text": "hi"}"#); // as it came, with the space
//!
//!     let reply = Reply { id: command.id, outcome: Outcome::Publish(PublishResult::default()) };
//!     assert_eq!(encode_reply(Encoding::Json, &reply), r#"{"id":1,"publish":{}}"#);
//! }
//! # Ok::<(), spanwire_wire::DecodeError>(())
//! ```
//!
//! Whatever bytes come in, decoding ends in a value or in a [`DecodeError`], and takes no more memory than
//! [`Limits`] allow. Encoding cannot fail, but it trusts one thing: what goes out as JSON must hold payloads
//! that are JSON. Those which came in as JSON are; those which came in as Protobuf, or from a backend, must
//! pass [`is_json`] first.

#![forbid(unsafe_code)]

mod batch;
pub mod code;
mod command;
mod cursor;
mod decode;
pub mod delta;
mod encode;
mod encoding;
mod envelope;
mod error;
pub mod extension;
mod json;
mod limits;
pub mod message;
mod pieces;
mod poll;
mod push;
mod reply;
mod varint;

pub use batch::Batch;
pub use code::{DisconnectCode, DisconnectReason, ErrorCode, UnsubscribeCode};
pub use command::{Command, Request};
pub use decode::{
    CommandReader, Commands, ServerMessages, commands, decode_connect, decode_emulation, server_messages,
};
pub use encode::{
    PING_JSON, PING_PROTOBUF, bare_pushes, encode_command, encode_disconnect, encode_emulation, encode_ping,
    encode_publication, encode_push, encode_reply, encode_server_message,
};
pub use encoding::Encoding;
pub use error::DecodeError;
pub use json::is_json;
pub use limits::Limits;
pub use pieces::whole_messages;
pub use poll::PollRequest;
pub use push::{Push, PushEvent};
pub use reply::{Outcome, Reply, ServerMessage};

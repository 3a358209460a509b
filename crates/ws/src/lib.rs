//! The WebSocket protocol, [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455), as plain values.
//!
//! Nothing here opens a socket, reads a clock, draws a random number or waits. Bytes come in as a buffer of
//! the caller's, events come out, and frames are written into a buffer of the caller's. The same
//! [`Connection`] therefore runs below an epoll loop, an async task, a simulator and a fuzzer.
//!
//! # Four kinds of method
//!
//! * **Getting in**: [`handshake::server`] turns a request into an [`Accept`](handshake::server::Accept) or a
//!   [`Refusal`](handshake::Refusal); [`handshake::client`] asks, and checks the answer.
//! * **Input**: [`Connection::next`] takes bytes from an [`Input`] and lends one [`Event`] at a time. Call it
//!   until it returns `None`, or an error.
//! * **Output**: [`frame::server_frame_into`] and [`frame::client_frame_into`] append a frame to a buffer. They
//!   need no connection, so that a server encodes a message for ten thousand receivers once. Nor does
//!   [`deflate`], if both sides agreed to compress.
//! * **Ending**: [`Connection::close`] starts the close handshake, [`Connection::answer`] says what is owed to a
//!   peer who closed or erred, [`Connection::state`] tells how far the end has come.
//!
//! # The loop
//!
//! ```
//! use spanwire_ws::{Connection, Event, Input, Limits, Opcode, PeerError, frame};
//!
//! /// Echoes what `scratch` holds; what is to be written is appended to `out`.
//! fn echo(connection: &mut Connection, scratch: &mut [u8], out: &mut Vec<u8>) -> Result<(), PeerError> {
//!     let (mut input, limits) = (Input::new(scratch), Limits::default());
//!     while let Some(event) = connection.next(&mut input, &limits)? {
//!         match event {
//!             Event::Text(text) => frame::server_frame_into(out, Opcode::Text, text.as_bytes()),
//!             Event::Binary(bytes) => frame::server_frame_into(out, Opcode::Binary, bytes),
//!             Event::Ping(payload) => frame::server_frame_into(out, Opcode::Pong, payload),
//!             Event::Pong(_) | Event::Close(_) => {}
//!         }
//!     }
//!     Ok(())
//! }
//!
//! # use spanwire_ws::Role;
//! let mut connection = Connection::new(Role::Server);
//! let (mut scratch, mut out) = (Vec::new(), Vec::new());
//! frame::client_frame_into(&mut scratch, Opcode::Text, b"hello", [7, 1, 8, 2]);
//! let outcome = echo(&mut connection, &mut scratch, &mut out);
//! if let Some(answer) = connection.answer() {
//!     answer.encode_into(&mut out, None); // The peer closed or erred: say so, then hang up.
//! }
//! assert_eq!((outcome, out.as_slice()), (Ok(()), b"\x81\x05hello".as_slice()));
//! ```
//!
//! # What it costs
//!
//! A frame that lies whole in the scratch buffer is unmasked where it lies and lent as a slice of it: no copy
//! and no allocation. Only an incomplete frame or message is kept, in memory that grows with what arrived and
//! is given back when the message is complete. An idle connection is 40 bytes, with nothing behind them.
//!
//! A masked text of 32 bytes, decoded and echoed, takes 383 instructions, of which the standard library's UTF-8
//! check is a third. `examples/instructions.rs` counts them.
//!
//! # What a stranger can do
//!
//! Every way to break the protocol is a variant of [`PeerError`]; none is a panic. Everything that a stranger
//! can make us keep is bounded by a name in [`Limits`] or [`HeadLimits`], and is checked before it is kept.

#![forbid(unsafe_code)]

pub mod close;
mod connection;
pub mod deflate;
mod error;
mod event;
mod extensions;
pub mod frame;
pub mod handshake;
mod input;
mod limits;
pub mod mask;
mod message;
mod partial;
mod state;
mod utf8;

pub use close::{CloseCode, CloseFrame};
pub use connection::{Connection, Role};
pub use error::PeerError;
pub use event::Event;
pub use extensions::Extensions;
pub use frame::{Header, Opcode};
pub use input::Input;
pub use limits::{HeadLimits, Limits};
pub use state::{Ending, State};

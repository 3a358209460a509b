//! The opening handshake (RFC 6455 section 4): one HTTP request, one answer, both as values.
//!
//! A server that parses HTTP itself starts at [`head::parse_request`]; one behind an HTTP library builds a
//! [`Request`] from the library's headers. Either way [`server::accept`] decides. A client builds a
//! [`client::Handshake`], sends it, and lets it [`verify`](client::Handshake::verify) the answer.

mod answer;
pub mod client;
pub(crate) mod extension;
mod field;
pub mod head;
mod key;
mod refusal;
mod request;
pub mod server;

pub use refusal::Refusal;
pub use request::{Request, SUBPROTOCOLS_MAX};

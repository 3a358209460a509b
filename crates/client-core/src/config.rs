//! What a client is told once.

use bytes::Bytes;
use spanwire_wire::Encoding;

use crate::{Limits, Transport};

/// What a client is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// How it says things. JSON goes into text messages, Protobuf into binary ones.
    pub encoding: Encoding,
    /// The transports that it may take, best first: where one brings no answer to connect, the next is tried.
    pub transports: Vec<Transport>,
    /// By what it is let in.
    pub credentials: Credentials,
    /// Data for whoever authenticates the connection (`ConnectRequest.data`); empty is nothing.
    pub data: Bytes,
    /// What the application calls itself, at most 16 characters by convention (`ConnectRequest.name`).
    pub name: String,
    /// The application's version (`ConnectRequest.version`).
    pub version: String,
    /// Whether to ask the server for its extensions, by which a publish can be repeated safely. Other servers of the
    /// protocol do not mind the question.
    pub extensions: bool,
    /// What it may keep, and how long it waits.
    pub limits: Limits,
}

/// By what a client is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing: an anonymous client, or one whose transport vouches for it.
    #[default]
    None,
    /// One token, for good.
    Token(String),
    /// Tokens that are asked for by [`Output::AskToken`](crate::Output::AskToken) when one is needed.
    Provider,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            encoding: Encoding::Json,
            transports: vec![Transport::WebSocket],
            credentials: Credentials::None,
            data: Bytes::new(),
            name: "spanwire-rust".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: true,
            limits: Limits::default(),
        }
    }
}

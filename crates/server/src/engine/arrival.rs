//! Sockets on their way into a shard: first as TCP connections, then as WebSockets.

use std::net::SocketAddr;

use bytes::Bytes;
use spanwire_hub::Opening;
use spanwire_ws::Extensions;

use super::{Link, Permit, ShardHandle, Visitor};

/// A TCP connection that a shard has accepted.
#[derive(Debug)]
pub struct Incoming {
    /// The connection, with `TCP_NODELAY` set.
    pub stream: tokio::net::TcpStream,
    /// The other end.
    pub peer: SocketAddr,
    /// The shard that accepted it, and that is to have it in the end.
    pub shard: ShardHandle,
    /// The right to be there; to be kept as long as the connection lives.
    pub permit: Permit,
}

/// A WebSocket whose handshake is done, for a shard to adopt.
#[derive(Debug)]
pub struct Arrival {
    /// What carries its bytes.
    pub link: Link,
    /// What was read behind the handshake.
    pub leftover: Bytes,
    /// What the WebSocket is for.
    pub purpose: Purpose,
    /// What the handshake agreed on beside the protocol itself.
    pub agreed: Agreed,
    /// The right to be there, from [`Incoming`].
    pub permit: Permit,
}

/// What a handshake agreed on.
#[derive(Debug, Default)]
pub struct Agreed {
    /// The extensions to speak with.
    pub extensions: Extensions,
    /// The right to keep a window for each message to refer to those before it, which the extensions may call for.
    pub context: Option<Permit>,
}

/// What a WebSocket is for.
#[derive(Debug)]
pub enum Purpose {
    /// A client's session.
    Session {
        /// What the hub wants to know of it.
        opening: Opening,
        /// Who came, and what those who authorize want to know of it.
        visitor: Visitor,
    },
    /// Every message is sent back: for conformance suites, and people who try things.
    Echo,
}

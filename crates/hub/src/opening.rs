//! What a transport knows of a client when its connection opens.

use std::fmt;

use bytes::Bytes;
use spanwire_wire::Encoding;

/// What a transport knows of a client before its first command.
#[derive(Clone, Debug)]
pub struct Opening {
    /// How commands and replies are encoded.
    pub encoding: Encoding,
    /// The transport pings the client by itself, so that application pings are off
    /// (`cf_ws_frame_ping_pong`).
    pub transport_pings: bool,
    /// How the client's commands come.
    pub upstream: Upstream,
}

impl Opening {
    /// A client whose commands come over its connection, and who is pinged by the hub.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, transport_pings: false, upstream: Upstream::Connection }
    }
}

/// How commands come from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upstream {
    /// Over the connection on which it hears.
    #[default]
    Connection,
    /// By requests of their own, which name the session by what the connect result told the client.
    Requests(Box<Reach>),
    /// Not at all: the client says who it is and which channels it wants, and from then on only hears, and that as
    /// bare pushes. What it says is here, or it is the first frame; JSON only.
    Nothing(Option<Bytes>),
}

/// Where requests find a session that hears on another connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Reach {
    /// The secret by which requests show that they are the client's (`ConnectResult.session`).
    pub session: String,
    /// The node that has the session (`ConnectResult.node`).
    pub node: String,
}

/// Whoever reads a log could speak for the client if the secret were in it.
impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("node", &self.node).finish_non_exhaustive()
    }
}

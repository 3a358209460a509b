//! What carries sessions.

/// How the bytes of a session get to its client and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket (RFC 6455).
    WebSocket,
    /// A WebSocket on a stream of HTTP/2 (RFC 8441).
    Http2WebSocket,
    /// An HTTP response without an end; commands come by requests of their own.
    HttpStream,
    /// The same as server-sent events.
    Sse,
    /// One HTTP request after the other, each held until there is something to say.
    Poll,
    /// A WebSocket on which only the server speaks.
    UniWebSocket,
    /// Server-sent events, and no commands.
    UniSse,
    /// An HTTP response without an end, and no commands.
    UniHttpStream,
}

impl Transport {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::WebSocket,
        Self::Http2WebSocket,
        Self::HttpStream,
        Self::Sse,
        Self::Poll,
        Self::UniWebSocket,
        Self::UniSse,
        Self::UniHttpStream,
    ];

    /// The name of it in the configuration and in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Http2WebSocket => "websocket_http2",
            Self::HttpStream => "http_stream",
            Self::Sse => "sse",
            Self::Poll => "poll",
            Self::UniWebSocket => "uni_websocket",
            Self::UniSse => "uni_sse",
            Self::UniHttpStream => "uni_http_stream",
        }
    }

    /// Whether nothing can be sent to the client before it asks for it, so that an outbox which nobody empties means
    /// nothing yet. Whoever answers the client's requests lets it go when they stop.
    pub(super) const fn is_asked_for(self) -> bool {
        matches!(self, Self::Poll)
    }
}

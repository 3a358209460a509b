//! How much a peer may make us read at once.
//!
//! A decoded message can take more memory than its bytes, for an empty entry of a list costs the peer two
//! bytes and us a whole struct. That factor is a constant of the types, [`Limits::MEMORY_PER_BYTE_MAX`], and
//! a message is decoded only when those before it are done with. So the worst that a frame of commands can do
//! is that factor times [`Limits::message_bytes_max`].

/// Limits of one frame. A *message* is one command, or one reply or push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes in one message, without newline or length prefix.
    pub message_bytes_max: usize,
    /// Most messages in one frame.
    ///
    /// A pong takes one byte, so without this a small frame would be tens of thousands of commands.
    pub messages_per_frame_max: usize,
}

impl Limits {
    /// Most bytes of memory that decoding takes for each byte of a command.
    ///
    /// The worst are the nodes of a filter: 144 bytes for two, in a list which has grown to twice its need.
    /// With the default limits that is 9 MiB, for as long as it takes to refuse the filter.
    pub const MEMORY_PER_BYTE_MAX: usize = 160;

    /// For commands: what a server takes from strangers, and the default.
    ///
    /// A client that connects may send the subscriptions of all its channels in the same frame. In 64 KiB
    /// there is room for fewer than 2,048 of them, so only a frame of nothing meets that limit.
    pub const COMMANDS: Self = Self { message_bytes_max: 65_536, messages_per_frame_max: 2_048 };

    /// For replies and pushes: what a client takes from a server which it trusts not to be absurd.
    ///
    /// One reply can hold hundreds of recovered publications.
    pub const REPLIES: Self = Self { message_bytes_max: 64 << 20, messages_per_frame_max: 65_536 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::COMMANDS
    }
}

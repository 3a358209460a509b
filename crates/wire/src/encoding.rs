//! The two forms in which everything can be said.

/// How a session writes and reads its messages. Chosen once, when the connection opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// JSON texts, one per line.
    Json,
    /// Protobuf messages, each after its length.
    Protobuf,
}

impl Encoding {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Json, Self::Protobuf];
}

//! What a server does not let us do.

/// Why nothing can be said about a server: it does not let us do what the promise is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not let a client in, with a code and a reason.
    Connect(u32, String),
    /// It does not let a client subscribe to a channel, with a code and a reason.
    Subscribe(String, u32, String),
    /// A channel has no positions: it has no history, or no recovery.
    NoPositions(String),
}

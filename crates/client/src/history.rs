//! What is asked of a channel's history, and what comes back.

use spanwire_client_core::Position;

use crate::event::Publication;

/// Which part of a channel's history is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub(crate) limit: Option<u32>,
    pub(crate) since: Option<Position>,
    pub(crate) reverse: bool,
}

/// A part of a channel's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub publications: Vec<Publication<T>>,
    /// Where the stream stands now.
    pub top: Position,
}

impl History {
    /// As much as the server gives, oldest first.
    pub fn all() -> Self {
        Self::default()
    }

    /// The newest, at most so many, newest first.
    pub fn newest(limit: u32) -> Self {
        Self { limit: Some(limit), since: None, reverse: true }
    }

    /// No publications, only where the stream stands.
    pub fn position() -> Self {
        Self { limit: Some(0), ..Self::default() }
    }

    /// At most so many.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only those behind this position; before it, newest first, where the newest are asked for.
    pub fn since(mut self, position: Position) -> Self {
        self.since = Some(position);
        self
    }
}

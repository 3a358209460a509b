//! Channels: their names, and positions in their streams.

use std::fmt;
use std::sync::Arc;

/// The name of a channel. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(Arc<str>);

impl Channel {
    /// A channel of this name; whether the name is allowed is for [`Namespaces`](crate::namespace::Namespaces) to say.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Channel {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one life of a channel's stream: offsets of different epochs have nothing to do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// The epoch of this name.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name. A client that never saw one has the empty name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A place in a channel's stream: right behind the publication of this offset. Offset 0 is the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last publication that lies before this place.
    pub offset: u64,
    /// The stream's life that the offset belongs to.
    pub epoch: Epoch,
}

impl Position {
    /// Where a subscriber wants to go on, by the fields of its command; `None` if it does not want to.
    pub(crate) fn wanted(recover: bool, offset: u64, epoch: &str) -> Option<Self> {
        recover.then(|| Self { offset, epoch: Epoch::new(epoch) })
    }
}

//! Places in the stream of a channel.

/// A place in a channel's stream: right behind the publication of this offset. Offset 0 is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The last publication before this place.
    pub offset: u64,
    /// The life of the stream that the offset belongs to. Offsets of different epochs have nothing to do with each
    /// other; an empty epoch fits any.
    pub epoch: String,
}

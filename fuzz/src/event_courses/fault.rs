//! Faults to plant between what happens and the books, so that we know that they would be seen.

/// Something that is done wrong on purpose, now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A shard does not hand over something that happened.
    LostHappening,
    /// A shard hands over something twice.
    DoubledHappening,
    /// Two things that happened on one shard change places.
    SwappedHappenings,
    /// The line says that a request was taken that never arrived.
    FalseAnswer,
    /// A request is overtaken by the one behind it.
    Overtaken,
    /// The last event of a request is cut off.
    CutRequest,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LostHappening,
        Self::DoubledHappening,
        Self::SwappedHappenings,
        Self::FalseAnswer,
        Self::Overtaken,
        Self::CutRequest,
    ];
}

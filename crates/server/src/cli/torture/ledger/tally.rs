//! How often what has happened.

use serde::Serialize;

/// How often what has happened, in the whole crowd since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Publications that were asked for.
    pub published: u64,
    /// Those of which the server said that they are published.
    pub acknowledged: u64,
    /// Those of which nothing can be said: the answer was lost, or never came.
    pub unacknowledged: u64,
    /// Those that the server did not want.
    pub refused: u64,
    /// Publications that subscribers got.
    pub delivered: u64,
    /// Those of them that were published while the subscriber was not there.
    pub recovered: u64,
    /// Gaps that subscribers were told of.
    pub gaps: u64,
    /// Times that a client was let in.
    pub connects: u64,
    /// Times that a client was let in again.
    pub reconnects: u64,
    /// Times that a connection was lost, given up or refused.
    pub disconnects: u64,
    /// Publications that came twice.
    pub duplicates: u64,
    /// Publications that are missing without a word.
    pub lost: u64,
    /// Publications that came too late.
    pub out_of_order: u64,
    /// Statements of the server that cannot be true.
    pub contradictions: u64,
}

impl Tally {
    /// Publications that were asked for and are not answered yet.
    pub fn unanswered(&self) -> u64 {
        self.published.saturating_sub(self.acknowledged + self.unacknowledged + self.refused)
    }

    /// Whether the promise held, as far as this says.
    pub fn is_clean(&self) -> bool {
        self.duplicates + self.lost + self.out_of_order + self.contradictions == 0
    }
}

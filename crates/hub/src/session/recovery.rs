//! How a subscriber is brought to where its channel is.

use std::sync::Arc;

use spanwire_wire::message::Publication;

use crate::broker::Recall;
use crate::channel::Position;
use crate::tags_filter::TagsFilter;

/// What a subscription is given of what it missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Nothing.
    #[default]
    None,
    /// All of it, or none.
    Whole,
    /// The latest publication, when it comes back.
    Latest,
    /// The latest publication, also when it comes for the first time.
    LatestAlways,
}

/// What came of a recovery.
#[derive(Debug, PartialEq)]
pub(crate) enum Recovered {
    /// Nobody asked for one.
    Unasked,
    /// It cannot be had.
    No,
    /// These bring the subscriber from `offset` to the top of the stream.
    Yes { offset: u64, publications: Vec<Publication> },
}

impl Recovery {
    /// What the broker is to recall for a subscriber that left off at `since`; most publications of a whole
    /// recovery are `limit`, and so many are looked at for the latest.
    pub(crate) fn recall(
        self,
        since: Option<&Position>,
        limit: usize,
        filter: Option<&Arc<TagsFilter>>,
    ) -> Recall {
        match (self, since) {
            (Self::Whole, Some(position)) => Recall::Since { position: position.clone(), limit },
            (Self::Latest, Some(_)) | (Self::LatestAlways, _) => {
                Recall::Latest { filter: filter.cloned(), limit }
            }
            (Self::None, _) | (Self::Whole | Self::Latest, None) => Recall::Nothing,
        }
    }

    /// What comes of it, now that the broker has recalled that, and said that the stream stands at `top`.
    pub(crate) fn outcome(
        self,
        since: Option<&Position>,
        top: &Position,
        recalled: Option<Vec<Publication>>,
    ) -> Recovered {
        match (self.recall(since, 0, None), recalled) {
            (Recall::Nothing, _) => Recovered::Unasked,
            // It gets to the top by taking the publications in, one by one. If all that it missed is filtered out, there is
            // nothing to take in.
            (Recall::Since { position, .. }, Some(publications)) => {
                let offset = if publications.is_empty() { top.offset } else { position.offset };
                Recovered::Yes { offset, publications }
            }
            (Recall::Latest { .. }, _) if since == Some(top) => {
                Recovered::Yes { offset: top.offset, publications: Vec::new() }
            }
            (Recall::Latest { .. }, Some(mut publications)) if !publications.is_empty() => {
                publications.retain(|latest| !has_had(since, top, latest));
                Recovered::Yes { offset: top.offset, publications }
            }
            (Recall::Since { .. } | Recall::Latest { .. }, _) => Recovered::No,
        }
    }
}

/// Whether a subscriber that left off at `since` has had this publication: what came after it was filtered out.
fn has_had(since: Option<&Position>, top: &Position, latest: &Publication) -> bool {
    since
        .is_some_and(|since| since.epoch == top.epoch && (latest.offset..=top.offset).contains(&since.offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Epoch;

    fn at(offset: u64, epoch: &str) -> Position {
        Position { offset, epoch: Epoch::new(epoch) }
    }

    fn publications(offsets: &[u64]) -> Vec<Publication> {
        let publication = |offset: &u64| Publication { offset: *offset, ..Publication::default() };
        offsets.iter().map(publication).collect()
    }

    #[test]
    fn what_is_recalled_depends_on_the_mode_and_on_whether_somebody_comes_back() {
        let since = at(3, "a");
        let latest = || Recall::Latest { filter: None, limit: 7 };
        let whole = Recall::Since { position: since.clone(), limit: 7 };
        let table = [
            (Recovery::None, Recall::Nothing, Recall::Nothing),
            (Recovery::Whole, Recall::Nothing, whole),
            (Recovery::Latest, Recall::Nothing, latest()),
            (Recovery::LatestAlways, latest(), latest()),
        ];
        for (recovery, first_time, back) in table {
            assert_eq!(recovery.recall(None, 7, None), first_time, "{recovery:?}");
            assert_eq!(recovery.recall(Some(&since), 7, None), back, "{recovery:?}");
        }
    }

    #[test]
    fn a_subscriber_gets_all_or_the_latest_or_is_told_that_it_does_not() {
        use Recovery::{Latest, LatestAlways, None as Never, Whole};
        let yes = |offset, offsets| Recovered::Yes { offset, publications: publications(offsets) };
        let no = || Recovered::No;
        // The mode, where it left off, what the broker recalled with the stream at offset 5 of epoch "a", and the outcome.
        type Row<'a> = (Recovery, Option<Position>, Option<&'a [u64]>, Recovered);
        let table: [Row<'_>; 21] = [
            (Never, Some(at(3, "a")), None, Recovered::Unasked),
            (Whole, None, None, Recovered::Unasked),
            (Whole, Some(at(3, "a")), Some(&[4, 5]), yes(3, &[4, 5])),
            (Whole, Some(at(5, "a")), Some(&[]), yes(5, &[])),
            // What it missed does not pass its filter.
            (Whole, Some(at(3, "a")), Some(&[]), yes(5, &[])),
            (Whole, Some(at(1, "a")), None, no()),
            (Latest, None, None, Recovered::Unasked),
            (Latest, Some(at(3, "a")), Some(&[5]), yes(5, &[5])),
            (Latest, Some(at(5, "a")), Some(&[5]), yes(5, &[])),
            (Latest, Some(at(5, "a")), None, yes(5, &[])),
            (Latest, Some(at(3, "a")), None, no()),
            (Latest, Some(at(5, "b")), Some(&[5]), yes(5, &[5])),
            (Latest, Some(at(5, "b")), None, no()),
            // The latest that passes its filter is one that it has had, or not.
            (Latest, Some(at(2, "a")), Some(&[2]), yes(5, &[])),
            (Latest, Some(at(3, "a")), Some(&[2]), yes(5, &[])),
            (Latest, Some(at(1, "a")), Some(&[2]), yes(5, &[2])),
            (Latest, Some(at(3, "b")), Some(&[2]), yes(5, &[2])),
            // A position that the stream never reached is of no life of it.
            (Latest, Some(at(6, "a")), Some(&[2]), yes(5, &[2])),
            (LatestAlways, None, Some(&[5]), yes(5, &[5])),
            (LatestAlways, None, None, no()),
            (LatestAlways, Some(at(5, "a")), Some(&[5]), yes(5, &[])),
        ];
        for (recovery, since, recalled, expected) in table {
            let outcome = recovery.outcome(since.as_ref(), &at(5, "a"), recalled.map(publications));
            assert_eq!(outcome, expected, "{recovery:?} since {since:?}, recalled {recalled:?}");
        }
    }
}

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
    pub(crate) next: Option<History>,
}

impl<T> Page<T> {
    pub(crate) fn new(publications: Vec<Publication<T>>, top: Position, wanted: History) -> Self {
        let next = publications.last().map(|last| last.offset).filter(|&last| match wanted.reverse {
            true => last > 1,
            false => last < top.offset,
        });
        let since = |offset| Some(Position { offset, epoch: top.epoch.clone() });
        let next = next.map(|offset| History { since: since(offset), ..wanted });
        Self { publications, top, next }
    }

    /// What to ask for the page behind this one; `None` behind the last one. A server that has forgotten meanwhile what
    /// would come next answers with error 112 (oldest first), or an empty page (newest first).
    pub fn next(&self) -> Option<History> {
        self.next.clone()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offsets: &[u64], top: u64, wanted: History) -> Option<History> {
        let publication =
            |&offset| Publication { data: (), offset, info: None, tags: Default::default(), recovered: true };
        let top = Position { offset: top, epoch: "e".to_owned() };
        Page::new(offsets.iter().map(publication).collect(), top, wanted).next()
    }

    #[test]
    fn the_next_page_begins_where_this_one_ends_until_there_is_no_more() {
        let since = |offset| Some(Position { offset, epoch: "e".to_owned() });
        let (two, newest) = (History::all().limit(2), History::newest(2));
        let table = [
            (&[4, 5][..], 9, two.clone(), Some(History { since: since(5), ..two.clone() })),
            (&[8, 9], 9, two.clone(), None),
            (&[], 9, two, None),
            (&[9, 8], 9, newest.clone(), Some(History { since: since(8), ..newest.clone() })),
            (&[2, 1], 9, newest, None),
            (&[], 9, History::position(), None),
        ];
        for (offsets, top, wanted, expected) in table {
            assert_eq!(page(offsets, top, wanted), expected, "{offsets:?}");
        }
    }
}

//! Who is in a channel, kept up to date by what the server says of joins and leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use spanwire_wire::message::ClientInfo;

/// Everybody in a channel, by the id of their session.
type List = BTreeMap<String, ClientInfo>;

/// Who is in a channel, as far as this client knows. The list is shared with whoever was told it, and copied at the next
/// change only if they still hold it.
#[derive(Debug, Default)]
pub(crate) enum Members {
    /// Nobody wants to know, or the server does not say.
    #[default]
    Unknown,
    /// They are asked for by this command. Meanwhile these came (or left: `None`), and the answer may know of it or not.
    Asked { command: u32, moved: BTreeMap<String, Option<ClientInfo>> },
    /// They are known.
    Known(Arc<List>),
}

/// There are more members than there is room for. Nothing is known any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Members {
    /// They are asked for by this command.
    pub(crate) fn asked(command: u32) -> Self {
        Self::Asked { command, moved: BTreeMap::new() }
    }

    /// Whether this command asked for them.
    pub(crate) fn await_answer_of(&self, id: u32) -> bool {
        matches!(self, Self::Asked { command, .. } if *command == id)
    }

    /// Somebody came, with this to know of them, or left. The result is the new list, if there is one already.
    ///
    /// # Errors
    /// They are more than `max` now.
    pub(crate) fn moved(
        &mut self,
        client: &str,
        info: Option<&ClientInfo>,
        max: usize,
    ) -> Result<Option<Arc<List>>, TooMany> {
        match self {
            Self::Unknown => return Ok(None),
            Self::Asked { moved, .. } => drop(moved.insert(client.to_owned(), info.cloned())),
            Self::Known(list) => apply(Arc::make_mut(list), client, info),
        }
        self.bounded(max)
    }

    /// The answer is here: the list, as it is after everything that was heard meanwhile. Whether a move is in the answer
    /// already makes no difference, for the last word on each of them is what was heard.
    ///
    /// # Errors
    /// They are more than `max`.
    pub(crate) fn answered(&mut self, mut list: List, max: usize) -> Result<Option<Arc<List>>, TooMany> {
        if let Self::Asked { moved, .. } = self {
            for (client, info) in std::mem::take(moved) {
                apply(&mut list, &client, info.as_ref());
            }
        }
        *self = Self::Known(Arc::new(list));
        self.bounded(max)
    }

    fn bounded(&mut self, max: usize) -> Result<Option<Arc<List>>, TooMany> {
        let (count, list) = match self {
            Self::Unknown => (0, None),
            Self::Asked { moved, .. } => (moved.len(), None),
            Self::Known(list) => (list.len(), Some(list.clone())),
        };
        if count > max {
            *self = Self::Unknown;
            return Err(TooMany);
        }
        Ok(list)
    }
}

fn apply(list: &mut List, client: &str, info: Option<&ClientInfo>) {
    match info {
        Some(info) => drop(list.insert(client.to_owned(), info.clone())),
        None => drop(list.remove(client)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(client: &str) -> ClientInfo {
        ClientInfo { client: client.to_owned(), ..ClientInfo::default() }
    }

    fn list(clients: &[&str]) -> List {
        clients.iter().map(|client| ((*client).to_owned(), info(client))).collect()
    }

    fn names(list: Option<Arc<List>>) -> Option<Vec<String>> {
        list.map(|list| list.keys().cloned().collect())
    }

    #[test]
    fn what_moved_while_the_list_was_asked_for_is_in_it_whether_the_answer_knew_of_it_or_not() {
        for answer in [&["ann"][..], &["ann", "bob"], &["bob", "cid"], &["ann", "bob", "cid"]] {
            let mut members = Members::asked(3);
            assert!(members.await_answer_of(3) && !members.await_answer_of(4));
            assert_eq!(members.moved("bob", Some(&info("bob")), 9), Ok(None));
            assert_eq!(members.moved("ann", None, 9), Ok(None));
            assert_eq!(members.moved("ann", Some(&info("ann")), 9), Ok(None));
            assert_eq!(members.moved("cid", None, 9), Ok(None));
            let known = members.answered(list(answer), 9).unwrap();
            assert_eq!(names(known), Some(vec!["ann".to_owned(), "bob".to_owned()]), "{answer:?}");
        }
    }

    #[test]
    fn whoever_was_told_keeps_what_they_were_told() {
        let mut members = Members::asked(1);
        let before = members.answered(list(&["ann"]), 9).unwrap();
        let after = members.moved("bob", Some(&info("bob")), 9).unwrap();
        assert_eq!((names(before).unwrap().len(), names(after).unwrap().len()), (1, 2));
    }

    #[test]
    fn more_members_than_there_is_room_for_are_not_kept() {
        let mut members = Members::asked(1);
        assert_eq!(members.answered(list(&["ann", "bob", "cid"]), 2), Err(TooMany));
        assert_eq!(members.moved("ann", None, 2), Ok(None));
        let mut members = Members::asked(1);
        assert_eq!(members.moved("ann", None, 1), Ok(None));
        assert_eq!(members.moved("bob", None, 1), Err(TooMany));
        assert!(!members.await_answer_of(1));
    }
}

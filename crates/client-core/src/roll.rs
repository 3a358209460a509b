//! Who is in a channel, kept up to date by what the server says of joins and leaves.

use std::collections::BTreeMap;

use spanwire_wire::message::ClientInfo;

use crate::Members;
use crate::time::Instant;

/// Who is in a channel, as far as this client knows.
#[derive(Debug, Default)]
pub(crate) enum Roll {
    /// Nobody wants to know, or the server does not say.
    #[default]
    Unknown,
    /// The server did not say now, and is asked again then.
    Resting { ask_at: Instant },
    /// They are asked for by this command. Meanwhile these came (or left: `None`), and the answer may know of it or not.
    Asked {
        command: u32,
        /// By when the answer must be here.
        until: Instant,
        moved: BTreeMap<String, Option<ClientInfo>>,
    },
    /// They are known.
    Known(Members),
}

/// There are more members than there is room for. Nothing is known any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Roll {
    /// They are asked for by this command.
    pub(crate) fn asked(command: u32, until: Instant) -> Self {
        Self::Asked { command, until, moved: BTreeMap::new() }
    }

    /// When something is to be done about it.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self {
            Self::Unknown | Self::Known(_) => None,
            Self::Resting { ask_at } => Some(*ask_at),
            Self::Asked { until, .. } => Some(*until),
        }
    }

    /// The command by which they are asked for now.
    pub(crate) fn command(&self) -> Option<u32> {
        if let Self::Asked { command, .. } = self { Some(*command) } else { None }
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
    ) -> Result<Option<Members>, TooMany> {
        match self {
            // Whoever moves before they are asked for is in the answer, or not.
            Self::Unknown | Self::Resting { .. } => return Ok(None),
            Self::Asked { moved, .. } => drop(moved.insert(client.to_owned(), info.cloned())),
            Self::Known(list) => apply(list, client, info),
        }
        self.bounded(max)
    }

    /// The answer is here: the list, as it is after everything that was heard meanwhile. Whether a move is in the answer
    /// already makes no difference, for the last word on each of them is what was heard.
    ///
    /// # Errors
    /// They are more than `max`.
    pub(crate) fn answered(
        &mut self,
        list: BTreeMap<String, ClientInfo>,
        max: usize,
    ) -> Result<Option<Members>, TooMany> {
        let mut list = Members::from(list);
        if let Self::Asked { moved, .. } = self {
            for (client, info) in std::mem::take(moved) {
                apply(&mut list, &client, info.as_ref());
            }
        }
        *self = Self::Known(list);
        self.bounded(max)
    }

    fn bounded(&mut self, max: usize) -> Result<Option<Members>, TooMany> {
        let (count, list) = match self {
            Self::Unknown | Self::Resting { .. } => (0, None),
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

fn apply(list: &mut Members, client: &str, info: Option<&ClientInfo>) {
    match info {
        Some(info) => list.insert(client, info),
        None => list.remove(client),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(client: &str) -> ClientInfo {
        ClientInfo { client: client.to_owned(), ..ClientInfo::default() }
    }

    const UNTIL: Instant = Instant::from_millis(9);

    fn list(clients: &[&str]) -> BTreeMap<String, ClientInfo> {
        clients.iter().map(|client| ((*client).to_owned(), info(client))).collect()
    }

    fn names(list: Option<Members>) -> Option<Vec<String>> {
        list.map(|list| list.clients().map(str::to_owned).collect())
    }

    #[test]
    fn what_moved_while_the_list_was_asked_for_is_in_it_whether_the_answer_knew_of_it_or_not() {
        for answer in [&["ann"][..], &["ann", "bob"], &["bob", "cid"], &["ann", "bob", "cid"]] {
            let mut roll = Roll::asked(3, UNTIL);
            assert_eq!(roll.command(), Some(3));
            assert_eq!(roll.moved("bob", Some(&info("bob")), 9), Ok(None));
            assert_eq!(roll.moved("ann", None, 9), Ok(None));
            assert_eq!(roll.moved("ann", Some(&info("ann")), 9), Ok(None));
            assert_eq!(roll.moved("cid", None, 9), Ok(None));
            let known = roll.answered(list(answer), 9).unwrap();
            assert_eq!(names(known), Some(vec!["ann".to_owned(), "bob".to_owned()]), "{answer:?}");
        }
    }

    #[test]
    fn whoever_was_told_keeps_what_they_were_told() {
        let mut roll = Roll::asked(1, UNTIL);
        let before = roll.answered(list(&["ann"]), 9).unwrap();
        let after = roll.moved("bob", Some(&info("bob")), 9).unwrap();
        assert_eq!((names(before).unwrap().len(), names(after).unwrap().len()), (1, 2));
    }

    #[test]
    fn more_members_than_there_is_room_for_are_not_kept() {
        let mut roll = Roll::asked(1, UNTIL);
        assert_eq!(roll.answered(list(&["ann", "bob", "cid"]), 2), Err(TooMany));
        assert_eq!(roll.moved("ann", None, 2), Ok(None));
        let mut roll = Roll::asked(1, UNTIL);
        assert_eq!(roll.moved("ann", None, 1), Ok(None));
        assert_eq!(roll.moved("bob", None, 1), Err(TooMany));
        assert_eq!(roll.command(), None);
    }
}

//! Who came and went, as one listener was told.

use std::collections::{BTreeMap, BTreeSet};

/// Those of whom a listener has heard since it began to listen, and whether they are there.
///
/// Of those who were there before, it hears first that they go; that is no contradiction.
#[derive(Debug, Default)]
pub(crate) struct Company(BTreeMap<String, bool>);

impl Company {
    /// It begins to listen.
    pub(super) fn begin(&mut self) {
        self.0.clear();
    }

    /// Somebody came, or went.
    pub(super) fn moved(&mut self, client: &str, here: bool) -> Result<(), String> {
        match self.0.insert(client.to_owned(), here) {
            Some(before) if before == here => {
                Err(format!("{client} {} twice in a row", if here { "came" } else { "went" }))
            }
            _ => Ok(()),
        }
    }

    /// Whether what it heard is what is.
    pub(super) fn compare(&self, present: &BTreeSet<String>) -> Result<(), String> {
        for (client, here) in &self.0 {
            if present.contains(client) != *here {
                let (heard, is) = if *here { ("came", "is not there") } else { ("went", "is there") };
                return Err(format!("heard last that {client} {heard}, who {is}"));
            }
        }
        Ok(())
    }
}

//! Why a crowd does not vouch for a server.

use std::fmt;

use super::crowd::Unsettled;
use super::ledger::{Tally, Violation};

/// Why a crowd does not vouch for a server.
#[derive(Clone, Debug)]
pub enum Objection {
    /// The promise was broken; this is how it began.
    Broken(Violation, Tally),
    /// Nothing can be said.
    Unsettled(Unsettled, Tally),
    /// What was waited for did not happen.
    Missing(&'static str, Tally),
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(violation, tally) => write!(f, "the promise is broken\n\n{violation}\n\n{tally:?}"),
            Self::Unsettled(unsettled, tally) => write!(f, "{unsettled}: {tally:?}"),
            Self::Missing(what, tally) => write!(f, "waited for {what}: {tally:?}"),
        }
    }
}

impl std::error::Error for Objection {}

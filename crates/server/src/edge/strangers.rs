//! Which refused origins the operator has been told about.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most origins that are remembered. A stranger can think of many, and after so many nobody reads on.
const ORIGINS_MAX: usize = 64;

/// Remembers refused origins, so that each is logged once.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<BTreeSet<String>>);

impl Strangers {
    /// Whether this one is worth a line in the log: it is new, and there have not been too many.
    pub(super) fn is_news(&self, origin: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < ORIGINS_MAX && known.insert(origin.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_is_news_once_and_not_all_the_world_is() {
        let strangers = Strangers::default();
        assert!(strangers.is_news("https://a.test"));
        assert!(!strangers.is_news("https://a.test"));
        let news = (0..1000).filter(|number| strangers.is_news(&number.to_string())).count();
        assert_eq!(news, ORIGINS_MAX - 1);
    }
}

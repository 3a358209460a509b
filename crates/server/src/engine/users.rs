//! How many connections each user has.

use std::collections::HashMap;
use std::sync::Arc;

use spanwire_hub::SessionId;

use super::headcount::Headcount;

/// The sessions of one shard that count as a user's connections; the count itself is of all shards.
///
/// Without a limit nothing is kept. The anonymous are nobody, and as many as they like.
#[derive(Debug)]
pub(super) struct Users {
    everywhere: Arc<Headcount>,
    here: HashMap<SessionId, Box<str>>,
}

impl Users {
    pub(super) fn new(everywhere: Arc<Headcount>) -> Self {
        Self { everywhere, here: HashMap::new() }
    }

    /// Counts a session as this user's, unless there are as many as may be.
    pub(super) fn enter(&mut self, id: SessionId, user: &str) -> bool {
        if user.is_empty() || !self.everywhere.is_on() {
            return true;
        }
        let room = self.everywhere.enter(user);
        if room && let Some(before) = self.here.insert(id, user.into()) {
            self.everywhere.leave(&*before);
        }
        room
    }

    /// A session has come to its end. The first word of it decides, so that a user whose connection is being closed
    /// can have another one.
    pub(super) fn leave(&mut self, id: SessionId) {
        if let Some(user) = self.here.remove(&id) {
            self.everywhere.leave(&*user);
        }
    }
}

/// A shard that fails takes its sessions with it, and the others go on counting.
impl Drop for Users {
    fn drop(&mut self) {
        for user in self.here.values() {
            self.everywhere.leave(&**user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(index: u32) -> SessionId {
        SessionId { index, generation: 0 }
    }

    #[test]
    fn a_user_has_so_many_connections_over_all_shards() {
        let everywhere = Arc::new(Headcount::new(2));
        let (mut one, mut other) = (Users::new(everywhere.clone()), Users::new(everywhere.clone()));
        assert!(one.enter(id(0), "ann") && other.enter(id(0), "ann"));
        assert!(!one.enter(id(1), "ann") && one.enter(id(2), "bob") && one.enter(id(3), ""));
        other.leave(id(0));
        other.leave(id(0));
        assert!(one.enter(id(1), "ann") && !other.enter(id(1), "ann"));
        drop(one);
        assert!(other.enter(id(1), "ann") && other.enter(id(2), "ann"));
    }

    #[test]
    fn nothing_is_kept_without_a_limit() {
        let mut users = Users::new(Arc::new(Headcount::new(0)));
        assert!(users.enter(id(0), "ann"));
        assert!(users.here.is_empty());
    }
}

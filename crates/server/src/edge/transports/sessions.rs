//! Where requests find the sessions that they speak for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use spanwire_hub::Reach;

use super::poll::Desk;
use crate::engine::pipe::Inlet;

/// The sessions of this node whose commands come by requests, of all shards.
///
/// They are found by their secret alone: 128 bits that nobody can guess. The table is keyed by a random hash, so that
/// how long a look-up takes says nothing about the secrets in it. It is locked for one look-up at a time, and only by
/// requests of such sessions.
pub(super) struct Sessions {
    node: String,
    chance: Mutex<StdRng>,
    open: Mutex<HashMap<Secret, Entrance>>,
}

/// What a client shows to speak for its session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Secret(u128);

/// The ways into a session.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) inlet: Inlet,
    /// Where a client that polls is answered.
    pub(super) desk: Option<Arc<Desk>>,
}

/// Dropped, the session is not found any more.
pub(super) struct Registration {
    sessions: Arc<Sessions>,
    secret: Secret,
}

impl Sessions {
    pub(super) fn new(node: String, seed: [u8; 32]) -> Self {
        Self { node, chance: Mutex::new(StdRng::from_seed(seed)), open: Mutex::default() }
    }

    /// A new secret, and what the client is told of it.
    pub(super) fn draw(&self) -> (Secret, Reach) {
        let mut bits = [0; 16];
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bits);
        let secret = Secret(u128::from_le_bytes(bits));
        (secret, Reach { session: format!("{:032x}", secret.0), node: self.node.clone() })
    }

    /// Lets requests find a session of which they know the secret.
    pub(super) fn register(self: &Arc<Self>, secret: Secret, inlet: Inlet) -> Registration {
        self.lock().insert(secret, Entrance { inlet, desk: None });
        Registration { sessions: self.clone(), secret }
    }

    /// Whether a request means this node. One for another node would have to be passed on to it.
    pub(super) fn is_here(&self, node: &str) -> bool {
        node == self.node
    }

    /// The session of this secret, if there is one.
    pub(super) fn find(&self, session: &str) -> Option<Entrance> {
        let secret = Secret(u128::from_str_radix(session, 16).ok()?);
        self.lock().get(&secret).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Secret, Entrance>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    /// Lets polls find the desk where they are answered.
    pub(super) fn answers_at(&self, desk: Arc<Desk>) {
        if let Some(entrance) = self.sessions.lock().get_mut(&self.secret) {
            entrance.desk = Some(desk);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // What is removed is dropped after the lock is released: its inlet may ring a shard.
        let _entrance = self.sessions.lock().remove(&self.secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_128_bits_and_differ() {
        let sessions = Sessions::new("here".to_owned(), [7; 32]);
        let drawn: std::collections::HashSet<_> = (0..100).map(|_| sessions.draw().1.session).collect();
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|secret| secret.len() == 32));
        assert!(sessions.is_here("here") && !sessions.is_here("there") && !sessions.is_here(""));
    }

    #[test]
    fn what_is_no_secret_finds_nobody() {
        let sessions = Sessions::new("here".to_owned(), [7; 32]);
        for guess in ["", "0", "zz", "+1", &"f".repeat(33), &sessions.draw().1.session] {
            assert!(sessions.find(guess).is_none(), "{guess}");
        }
    }
}

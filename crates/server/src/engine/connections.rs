//! The connections of a shard, by where they are kept.

use slab::Slab;
use spanwire_hub::SessionId;

use super::connection::Connection;

/// Where a connection is kept. Used again by another one as soon as it is closed, but never within the same look at
/// the poller, because connections are adopted after what it saw was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// A session, at the hub's index for it.
    Session(u32),
    /// An echo.
    Echo(u32),
}

const ECHO: u64 = 1 << 32;

impl Key {
    /// The key as what a poller carries for us.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Session(index) => u64::from(index),
            Self::Echo(index) => ECHO | u64::from(index),
        }
    }

    /// The hub's index, if it is a session's key.
    pub(super) fn session_index(self) -> Option<u32> {
        match self {
            Self::Session(index) => Some(index),
            Self::Echo(_) => None,
        }
    }

    pub(super) fn from_number(number: u64) -> Self {
        let index = number as u32;
        if number & ECHO == 0 { Self::Session(index) } else { Self::Echo(index) }
    }
}

impl From<SessionId> for Key {
    fn from(id: SessionId) -> Self {
        Self::Session(id.index)
    }
}

/// All connections of a shard. The hub's indices are dense, so a session's connection is found without hashing.
#[derive(Debug, Default)]
pub(super) struct Connections {
    sessions: Vec<Option<Connection>>,
    echoes: Slab<Connection>,
    count: usize,
}

impl Connections {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Keeps a session's connection under the session's index.
    pub(super) fn insert_session(&mut self, id: SessionId, connection: Connection) -> Key {
        let index = id.index as usize;
        if self.sessions.len() <= index {
            self.sessions.resize_with(index + 1, || None);
        }
        self.count += 1;
        self.sessions[index] = Some(connection);
        Key::Session(id.index)
    }

    /// Keeps an echo's connection; `None` if there are as many as can be numbered.
    pub(super) fn insert_echo(&mut self, connection: Connection) -> Option<Key> {
        let index = u32::try_from(self.echoes.vacant_key()).ok()?;
        self.count += 1;
        self.echoes.insert(connection);
        Some(Key::Echo(index))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        match key {
            Key::Session(index) => self.sessions.get_mut(index as usize)?.as_mut(),
            Key::Echo(index) => self.echoes.get_mut(index as usize),
        }
    }

    #[cfg(test)]
    pub(super) fn get(&self, key: Key) -> Option<&Connection> {
        match key {
            Key::Session(index) => self.sessions.get(index as usize)?.as_ref(),
            Key::Echo(index) => self.echoes.get(index as usize),
        }
    }

    /// Places for sessions, taken or free.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.sessions.len()
    }

    /// The connection of this session, and of none that had or will have its place.
    #[inline]
    pub(super) fn session_mut(&mut self, id: SessionId) -> Option<&mut Connection> {
        self.get_mut(id.into()).filter(|connection| connection.session() == Some(id))
    }

    /// Where the echoes are.
    pub(super) fn echoes(&self) -> Vec<Key> {
        self.echoes.iter().map(|(index, _)| Key::Echo(index as u32)).collect()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Connection> {
        let removed = match key {
            Key::Session(index) => self.sessions.get_mut(index as usize)?.take(),
            Key::Echo(index) => self.echoes.try_remove(index as usize),
        };
        self.count -= usize::from(removed.is_some());
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_key_survives_its_way_through_the_poller() {
        for key in [Key::Session(0), Key::Session(u32::MAX), Key::Echo(0), Key::Echo(u32::MAX)] {
            assert_eq!(Key::from_number(key.number()), key);
        }
    }
}

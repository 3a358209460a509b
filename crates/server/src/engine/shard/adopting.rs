//! How a WebSocket comes into a shard.

use rand::RngCore;
use spanwire_hub::{Input, Opening};
use spanwire_ws::Opcode;

use super::Shard;
use crate::engine::connection::{self, Connection, opcode_of};
use crate::engine::connections::Key;
use crate::engine::heartbeat::Heartbeat;
use crate::engine::{Agreed, Arrival, Link, Permit, Purpose, Visitor};

impl Shard {
    /// Takes a WebSocket in. One that the poller cannot watch is closed at once: the system has no room for it.
    pub(super) fn adopt(&mut self, arrival: Arrival) {
        let Arrival { link, leftover, purpose, agreed, permit } = arrival;
        self.stats().contexts_opened.add(u64::from(agreed.context.is_some()));
        let key = match purpose {
            Purpose::Session { opening, visitor } => {
                Some(self.open_session(link, &opening, visitor, agreed, permit))
            }
            Purpose::Echo => self.connections.insert_echo(Connection::new(
                link,
                Opcode::Binary,
                connection::Purpose::Echo,
                agreed,
                permit,
            )),
        };
        let Some(key) = key else { return };
        self.stats().connections_opened.one();
        let watched = match self.connections.get_mut(key) {
            Some(connection) => self.poller.add(&connection.link, key),
            None => return,
        };
        if let Err(error) = watched {
            tracing::warn!(shard = self.index, %error, "a connection cannot be watched");
            self.peer_gone(key);
            return;
        }
        self.digest_leftover(key, &leftover);
    }

    fn open_session(
        &mut self,
        link: Link,
        opening: &Opening,
        visitor: Visitor,
        agreed: Agreed,
        permit: Permit,
    ) -> Key {
        let id = self.hub.open(self.reading.now, opening.clone());
        let purpose = connection::Purpose::Session { id, visitor: Box::new(visitor) };
        let mut connection = Connection::new(link, opcode_of(opening.encoding), purpose, agreed, permit);
        if opening.transport_pings {
            let share = self.chance.next_u32() as u8;
            let heartbeat = Heartbeat::begin(self.reading.now.at, self.rules.native_pings, share);
            connection.aside_mut().heartbeat = heartbeat;
            self.deadlines.arm(id.into(), &mut connection);
        }
        self.stats().opened[self.websocket_of(id) as usize].one();
        self.connections.insert_session(id, connection)
    }

    /// Tells every session that the node shuts down. Echoes have nobody who would tell them, so they are closed.
    pub(super) fn drain_connections(&mut self) {
        self.hub.handle(self.reading.now, Input::Drain);
        for key in self.connections.echoes() {
            self.let_echo_go(key);
        }
    }
}

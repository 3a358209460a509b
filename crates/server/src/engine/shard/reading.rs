//! From sockets to the hub.

use spanwire_hub::Input;
use spanwire_ws::{self as ws, Event, PeerError, frame};

use super::Shard;
use crate::engine::Link;
use crate::engine::connection::{Connection, Purpose, Reading, pong_payload};
use crate::engine::connections::Key;
use crate::engine::limits::{ECHO_UNSENT_BYTES_MAX, READ_BYTES};
use crate::engine::link::Received;

/// What a peer's bytes came to.
enum Digested {
    /// They were taken, and more may follow.
    All,
    /// The peer has said its last word.
    Closed,
    /// The peer broke the protocol.
    Failed(PeerError),
}

impl Shard {
    /// Reads once from each connection that has something, as far as this round goes. What stays in the sockets
    /// holds up nobody but its sender.
    pub(super) fn read(&mut self) {
        for _ in 0..self.ready.len() {
            if !self.round.may_read() {
                return;
            }
            let Some(key) = self.ready.pop_front() else { return };
            self.read_from(key);
        }
    }

    fn read_from(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Reading::Queued { to_the_end } = connection.reading else { return };
        connection.reading = Reading::Waiting;
        let received = connection.link.receive(&mut self.scratch);
        let has_unsent = connection.link.has_unsent();
        match received {
            Received::Bytes { count, more } => {
                self.stats().bytes_in.add(count as u64);
                self.round.spend_read(count);
                self.digest(key, count);
                // An edge-triggered poller tells again only of what comes after a read that emptied the socket.
                self.read_on(key, more || to_the_end, to_the_end);
            }
            Received::Nothing => {}
            Received::End => self.peer_gone(key),
            Received::Forged => {
                self.stats().peer_errors.count("tls");
                self.peer_gone(key);
            }
        }
        if has_unsent {
            self.write_soon(key);
        }
    }

    /// What the edge has read behind the handshake comes before anything in the socket.
    pub(super) fn digest_leftover(&mut self, key: Key, leftover: &[u8]) {
        for chunk in leftover.chunks(READ_BYTES) {
            self.scratch[..chunk.len()].copy_from_slice(chunk);
            self.stats().bytes_in.add(chunk.len() as u64);
            self.digest(key, chunk.len());
        }
        let Some(connection) = self.connections.get_mut(key) else { return };
        let (has_unsent, is_tls) = (connection.link.has_unsent(), matches!(connection.link, Link::Tls(_)));
        // TLS may have heard of the end already, which only a read brings to light.
        self.read_on(key, is_tls, false);
        if has_unsent {
            self.write_soon(key);
        }
    }

    /// Hands the first `count` bytes of the scratch to whom they are for.
    fn digest(&mut self, key: Key, count: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let mut input = ws::Input::new(&mut self.scratch[..count]);
        let limits = match connection.purpose {
            Purpose::Session { .. } => &self.rules.session,
            Purpose::Echo => &self.rules.echo,
        };
        let (ending, side) = (connection.is_ending(), connection.ws.extensions().ours(ws::Role::Server));
        let (mut messages, mut speaks) = (0, false);
        let digested = loop {
            let (payload, opcode) = match connection.ws.next_lent(&mut input, limits, &mut self.inflater) {
                Ok(Some(Event::Text(text))) => (text.as_bytes(), ws::Opcode::Text),
                Ok(Some(Event::Binary(bytes))) => (bytes, ws::Opcode::Binary),
                Ok(Some(Event::Ping(payload))) => {
                    let pong = pong_payload(payload);
                    connection.aside_mut().pong = Some(pong);
                    speaks = true;
                    continue;
                }
                Ok(Some(Event::Pong(_))) => {
                    connection.pong();
                    continue;
                }
                Ok(Some(Event::Close(_))) => break Digested::Closed,
                Ok(None) => break Digested::All,
                Err(sin) => break Digested::Failed(sin),
            };
            messages += 1;
            if ending {
                continue;
            }
            match connection.purpose {
                Purpose::Session { id, .. } => {
                    self.hub.handle(self.reading.now, Input::Frame(id, payload));
                }
                Purpose::Echo => {
                    let aside = connection.aside.get_or_insert_default();
                    match side {
                        Some(side) => self.writer.compressor().say(aside, opcode, payload, side),
                        None => frame::server_frame_into(&mut aside.lead, opcode, payload),
                    }
                    speaks = true;
                }
            }
        };
        self.stats().messages_in.add(messages);
        if speaks {
            self.write_soon(key);
        }
        match digested {
            Digested::All => {}
            Digested::Closed => self.peer_closed(key),
            Digested::Failed(sin) => self.peer_failed(key, sin),
        }
    }

    /// Decides when to read from this connection again, after what was read is digested.
    fn read_on(&mut self, key: Key, unread: bool, to_the_end: bool) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let paused = match connection.session() {
            Some(id) => self.hub.is_busy(id),
            None => connection.has_much_to_say(),
        };
        if paused {
            connection.reading = Reading::Paused { unread, to_the_end };
        } else if unread {
            connection.reading = Reading::Queued { to_the_end };
            self.ready.push_back(key);
        }
    }

    /// What was read is done with: goes on reading, if there may be something.
    pub(super) fn resume(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Reading::Paused { unread, to_the_end } = connection.reading else { return };
        connection.reading = if unread { Reading::Queued { to_the_end } } else { Reading::Waiting };
        if unread {
            self.ready.push_back(key);
        }
    }
}

impl Connection {
    /// The poller says that there is something to read, or that the end has come. Whether the connection must be
    /// put into the list of those to read from.
    pub(super) fn wake_reading(&mut self, ended: bool) -> bool {
        let (next, queue) = match self.reading {
            Reading::Waiting => (Reading::Queued { to_the_end: ended }, true),
            Reading::Queued { to_the_end } => (Reading::Queued { to_the_end: to_the_end || ended }, false),
            Reading::Paused { to_the_end, .. } => {
                (Reading::Paused { unread: true, to_the_end: to_the_end || ended }, false)
            }
        };
        self.reading = next;
        queue
    }

    /// Whether so much of an echo waits for its socket that it must not make more.
    pub(super) fn has_much_to_say(&self) -> bool {
        self.aside().is_some_and(|aside| aside.unsent_lead().len() > ECHO_UNSENT_BYTES_MAX)
    }

    /// The peer has answered a native ping.
    fn pong(&mut self) {
        if let Some(heartbeat) = self.existing_aside_mut().and_then(|aside| aside.heartbeat.as_mut()) {
            heartbeat.pong();
        }
    }
}

//! How connections end: the close handshake of RFC 6455 section 7, and all the ways around it.

use spanwire_hub::{Input, SessionId};
use spanwire_wire::{DisconnectCode, DisconnectReason, Encoding, bare_pushes, encode_disconnect};
use spanwire_ws::{CloseCode, CloseFrame, Ending as WsEnding, PeerError, State};

use super::Shard;
use crate::engine::Transport;
use crate::engine::connections::Key;
use crate::engine::limits::CLOSE_PATIENCE;
use crate::engine::writer::rest_of_front;

impl Shard {
    /// The hub lets a session go. What its outbox holds is written first, unless it is what the client could not
    /// keep up with.
    pub(super) fn let_go(&mut self, id: SessionId, reason: &DisconnectReason) {
        self.users.leave(id);
        let until = self.reading.now.at + CLOSE_PATIENCE;
        let Some(connection) = self.connections.session_mut(id) else {
            return self.let_pipe_go(id, reason);
        };
        if connection.is_ending() {
            // The peer began it, and the hub agrees.
            return;
        }
        let code = reason.code();
        let slow = code == DisconnectCode::Slow.code();
        let close_code = u16::try_from(code).ok().and_then(CloseCode::new).unwrap_or(CloseCode::GOING_AWAY);
        let last_push = self.hub.is_unidirectional(id).then(|| {
            // It hears by pushes, and the close frame alone would be no news to it.
            bare_pushes(&encode_disconnect(Encoding::Json, reason))
        });
        if let Some(frame) = connection.ws.close(CloseFrame::new(close_code, reason.text())) {
            connection.end_behind(last_push.as_deref(), &frame, until);
        }
        self.count_end(close_code.number().into());
        if slow || code == DisconnectCode::ConnectionClosed.code() {
            self.forget_outbox(id);
        }
        self.begin_end(id.into());
    }

    /// Counts the end of a session from our side.
    pub(super) fn count_end(&self, code: u32) {
        self.stats().disconnects.count(u16::try_from(code).unwrap_or(CloseCode::GOING_AWAY.number()));
        if code == DisconnectCode::Slow.code() {
            self.stats().outbox_overflows.one();
        }
    }

    /// The node shuts down, and an echo is told by RFC 6455's own code for that.
    pub(super) fn let_echo_go(&mut self, key: Key) {
        let until = self.reading.now.at + CLOSE_PATIENCE;
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Some(frame) = connection.ws.close(CloseFrame::new(CloseCode::GOING_AWAY, "shutdown")) else {
            return;
        };
        connection.end(&frame, until);
        self.stats().disconnects.count(CloseCode::GOING_AWAY.number());
        self.begin_end(key);
    }

    /// The peer has said its last word: ours is the echo of it, or was said before.
    pub(super) fn peer_closed(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.ws.answer() {
            Some(frame) => self.answer_peer(key, &frame, DisconnectCode::ConnectionClosed),
            // What we said may still be on its way out; that it arrives is all that is left to do.
            None if connection.is_farewell_written() => self.remove(key),
            None => {}
        }
    }

    /// The peer broke the protocol: it is told what, and nothing else that it sends is looked at.
    pub(super) fn peer_failed(&mut self, key: Key, sin: PeerError) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(frame) = connection.ws.answer() {
            tracing::debug!(shard = self.index, ?key, %sin, "a peer broke the WebSocket protocol");
            self.stats().peer_errors.count(sin.reason());
            self.answer_peer(key, &frame, DisconnectCode::BadRequest);
        }
    }

    /// Ends a connection with a close frame that the peer has called for. Whatever else was to be sent is void.
    fn answer_peer(&mut self, key: Key, frame: &CloseFrame<'_>, for_the_hub: DisconnectCode) {
        let until = self.reading.now.at + CLOSE_PATIENCE;
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.end(frame, until);
        let session = connection.session();
        let code = match for_the_hub {
            DisconnectCode::ConnectionClosed => for_the_hub.code() as u16,
            _ => frame.code().map_or(0, CloseCode::number),
        };
        self.stats().disconnects.count(code);
        if let Some(id) = session {
            self.users.leave(id);
            self.tell_hub(Input::Close(id, for_the_hub.into()));
            self.forget_outbox(id);
        }
        self.begin_end(key);
    }

    /// The peer is gone without a word, or its socket is broken.
    pub(super) fn peer_gone(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_ending() {
            self.stats().disconnects.count(DisconnectCode::ConnectionClosed.code() as u16);
        }
        self.remove(key);
    }

    /// The socket takes no bytes any more, be it broken or blocked for too long.
    pub(super) fn write_failed(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_ending() {
            self.stats().disconnects.count(DisconnectCode::WriteError.code() as u16);
        }
        self.remove(key);
    }

    /// Our close frame has left. Who has heard the peer's too hangs up; else we wait, with the patience that was
    /// set when the end began, and go on reading: data in the socket when it is closed would reset the connection,
    /// and the peer might lose our close frame by that.
    pub(super) fn farewell_written(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.ws.state() {
            State::Closed(WsEnding::Agreed(_)) => self.remove(key),
            State::Closed(WsEnding::Failed(_)) => {
                if connection.link.finish().is_err() {
                    self.remove(key);
                }
            }
            State::Open | State::CloseSent | State::CloseReceived(_) | State::Failed(_) => {}
        }
    }

    /// Closes the socket, and lets the session's place be used again.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(mut connection) = self.connections.remove(key) else { return };
        // A socket that does not take it is closed without it.
        let _ = connection.link.take_leave();
        self.stats().connections_closed.one();
        let has_context = connection.aside().is_some_and(|aside| aside.context.is_some());
        self.stats().contexts_closed.add(u64::from(has_context));
        if let Some(id) = connection.session() {
            self.stats().closed[self.websocket_of(id) as usize].one();
            self.users.leave(id);
            self.tell_hub(Input::Gone(id));
        }
    }

    /// Which of the two kinds of WebSocket a session has.
    pub(super) fn websocket_of(&self, id: SessionId) -> Transport {
        if self.hub.is_unidirectional(id) { Transport::UniWebSocket } else { Transport::WebSocket }
    }

    fn begin_end(&mut self, key: Key) {
        if let Some(connection) = self.connections.get_mut(key) {
            self.deadlines.arm(key, connection);
        }
        self.resume(key);
        self.write_soon(key);
    }

    /// Sends nothing more of what waits, except for the rest of a message that the socket has a part of: without
    /// it, the peer would take our close frame for that.
    fn forget_outbox(&mut self, id: SessionId) {
        let Some(connection) = self.connections.session_mut(id) else { return };
        let Some(outbox) = self.hub.outbox_mut(id) else { return };
        if connection.front_written() > 0 {
            let rest = rest_of_front(connection, outbox);
            connection.aside_mut().lead.extend_from_slice(&rest);
            connection.set_front_written(0);
        }
        outbox.clear();
    }

    fn tell_hub(&mut self, input: Input<'_>) {
        self.hub.handle(self.reading.now, input);
        self.unheard = true;
    }
}

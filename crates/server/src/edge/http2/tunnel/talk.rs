//! What the two halves of a WebSocket know together.

use std::cell::{Cell, RefCell};

use spanwire_ws::{self as ws, CloseFrame, PeerError, Role};
use tokio::sync::Notify;

/// A conversation, as far as it is not on its way. Both halves run in one task, so nothing here is locked.
pub(super) struct Talk {
    ws: RefCell<ws::Connection>,
    /// The answer to the client's latest ping; earlier ones need none (RFC 6455 section 5.5.3).
    pong: Cell<Option<Vec<u8>>>,
    /// The client has answered a ping of ours.
    ponged: Cell<bool>,
    farewell: Cell<Option<Farewell>>,
    /// The client has called for a farewell, be it taken or not.
    has_ended: Cell<bool>,
    /// Tells the half that speaks.
    news: Notify,
}

/// What the client's last word calls for.
pub(super) enum Farewell {
    /// Both sides have said goodbye.
    Over,
    /// It is answered with this close frame. With a sin, it was no goodbye.
    Answer(Vec<u8>, Option<PeerError>),
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            ws: RefCell::new(ws::Connection::new(Role::Server)),
            pong: Cell::default(),
            ponged: Cell::default(),
            farewell: Cell::default(),
            has_ended: Cell::default(),
            news: Notify::new(),
        }
    }
}

impl Talk {
    /// The protocol's state, which whoever borrows it gives back before waiting for anything.
    pub(super) fn ws(&self) -> &RefCell<ws::Connection> {
        &self.ws
    }

    /// The client has pinged.
    pub(super) fn owe_pong(&self, payload: &[u8]) {
        self.pong.set(Some(payload.to_vec()));
        self.news.notify_one();
    }

    /// The client has answered a ping, or sent a pong without being asked, which is fine.
    pub(super) fn hear_pong(&self) {
        self.ponged.set(true);
    }

    /// The client has said its last word, or broken the protocol. What follows that does not matter.
    pub(super) fn end(&self, sin: Option<PeerError>) {
        if self.has_ended.replace(true) {
            return;
        }
        let answer = self.ws.borrow_mut().answer();
        self.farewell.set(Some(match answer {
            Some(frame) => Farewell::Answer(encoded(&frame), sin),
            None => Farewell::Over,
        }));
        self.news.notify_one();
    }

    /// Whether the client has called for a farewell.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Ends it from our side: the close frame to send, if none was sent before.
    pub(super) fn close(&self, frame: CloseFrame<'_>) -> Option<Vec<u8>> {
        self.ws.borrow_mut().close(frame).map(|frame| encoded(&frame))
    }

    /// Waits until there is something to say that the client has called for. Cancel safe.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    pub(super) fn take_pong(&self) -> Option<Vec<u8>> {
        self.pong.take()
    }

    pub(super) fn take_ponged(&self) -> bool {
        self.ponged.take()
    }

    pub(super) fn take_farewell(&self) -> Option<Farewell> {
        self.farewell.take()
    }
}

fn encoded(frame: &CloseFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode_into(&mut bytes, None);
    bytes
}

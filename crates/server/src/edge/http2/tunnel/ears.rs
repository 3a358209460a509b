//! From a stream to a session.

use std::future::{pending, poll_fn};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use spanwire_ws::{Event, Input, Limits, PeerError};

use super::talk::Talk;
use crate::engine::pipe::Inlet;

/// What the next bytes came to.
enum Heard {
    Message(Bytes),
    /// Something that the session need not know.
    Control,
    Nothing,
    Close,
    Sin(PeerError),
}

/// Brings the session what the client says, until the client is gone without a farewell. While the session is busy with
/// what came before, nothing is taken, and the stream's window fills up.
pub(super) async fn hear(stream: &mut RecvStream, inlet: &Inlet, talk: &Talk, limits: &Limits) {
    // A reset, like the end of the stream, is the end of what can be heard.
    while let Some(Ok(chunk)) = poll_fn(|cx| stream.poll_data(cx)).await {
        let count = chunk.len();
        digest(chunk, inlet, talk, limits).await;
        if stream.flow_control().release_capacity(count).is_err() {
            break;
        }
    }
    if talk.has_ended() {
        // It has closed its half behind its last word, and hears ours on the other one.
        pending().await
    }
}

/// Takes everything out of one piece of the stream.
async fn digest(chunk: Bytes, inlet: &Inlet, talk: &Talk, limits: &Limits) {
    // Frames are unmasked where they lie, so the piece must be our own.
    let mut bytes = BytesMut::from(chunk);
    let mut input = Input::new(&mut bytes);
    loop {
        match next(&mut input, talk, limits) {
            // A session that has ended takes nothing, and its client is being told.
            Heard::Message(frame) => inlet.send(frame).await.unwrap_or_default(),
            Heard::Control => {}
            Heard::Nothing => return,
            Heard::Close => talk.end(None),
            Heard::Sin(sin) => return talk.end(Some(sin)),
        }
    }
}

fn next(input: &mut Input<'_>, talk: &Talk, limits: &Limits) -> Heard {
    match talk.ws().borrow_mut().next(input, limits) {
        Ok(Some(Event::Text(text))) => Heard::Message(Bytes::copy_from_slice(text.as_bytes())),
        Ok(Some(Event::Binary(bytes))) => Heard::Message(Bytes::copy_from_slice(bytes)),
        Ok(Some(Event::Ping(payload))) => {
            talk.owe_pong(payload);
            Heard::Control
        }
        Ok(Some(Event::Pong(_))) => {
            talk.hear_pong();
            Heard::Control
        }
        Ok(Some(Event::Close(_))) => Heard::Close,
        Ok(None) => Heard::Nothing,
        Err(sin) => Heard::Sin(sin),
    }
}

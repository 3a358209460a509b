//! `/echo` on a stream of HTTP/2: every message comes back.

use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use spanwire_ws::{self as ws, Event, Input, Opcode, Role, frame};

use super::flow;
use super::tunnel::{Terms, Tunnel};

/// Sends every message back until the client leaves. Nothing more is read before what came is answered.
pub(super) async fn serve(tunnel: Tunnel, terms: &Terms) {
    let Tunnel { mut up, mut down } = tunnel;
    let mut connection = ws::Connection::new(Role::Server);
    while let Some(Ok(chunk)) = poll_fn(|cx| up.poll_data(cx)).await {
        let count = chunk.len();
        let mut said = Vec::new();
        let is_over = answer(&mut connection, &mut BytesMut::from(chunk), &terms.echo, &mut said);
        if flow::send(&mut down, said.into(), terms.write_timeout).await.is_err() {
            return;
        }
        if is_over || up.flow_control().release_capacity(count).is_err() {
            break;
        }
    }
    // Whoever is gone needs no end.
    let _ = down.send_data(Bytes::new(), true);
}

/// Answers everything in one piece of the stream. Whether that was the last.
fn answer(
    connection: &mut ws::Connection,
    chunk: &mut [u8],
    limits: &ws::Limits,
    said: &mut Vec<u8>,
) -> bool {
    let mut input = Input::new(chunk);
    loop {
        let (opcode, payload) = match connection.next(&mut input, limits) {
            Ok(Some(Event::Text(text))) => (Opcode::Text, text.as_bytes()),
            Ok(Some(Event::Binary(bytes))) => (Opcode::Binary, bytes),
            Ok(Some(Event::Ping(payload))) => (Opcode::Pong, payload),
            Ok(Some(Event::Pong(_) | Event::Close(_))) => continue,
            Ok(None) | Err(_) => break,
        };
        frame::server_frame_into(said, opcode, payload);
    }
    match connection.answer() {
        Some(farewell) => {
            farewell.encode_into(said, None);
            true
        }
        None => false,
    }
}

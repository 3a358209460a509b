//! WebSockets: their messages, and what is compressed.

use std::time::Duration;

use super::client::CONNECTIONS_MAX;
use super::reader::Reader;
use super::settings::{HOUR, SECOND};
use crate::engine::Compression;

/// Longest message a client may be allowed to send, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Shortest message that is worth compressing unless somebody says otherwise, in bytes: JSON below it shrinks by less
/// than its packet's own headers take.
const COMPRESSION_BYTES_MIN: usize = 128;

#[derive(Debug)]
pub(crate) struct WebSocket {
    pub(crate) message_size_limit: usize,
    pub(crate) write_timeout: Duration,
    /// `None` if it is off.
    pub(crate) compression: Option<CompressionSettings>,
}

#[derive(Debug)]
pub(crate) struct CompressionSettings {
    pub(crate) how: Compression,
    /// How many connections may take context over.
    pub(crate) contexts_max: usize,
}

pub(super) fn read(reader: &mut Reader<'_>) -> WebSocket {
    WebSocket {
        message_size_limit: reader.count(
            "websocket.message_size_limit",
            "how many bytes a client may send in one message",
            65_536,
            1024..=MESSAGE_BYTES_MAX,
        ),
        write_timeout: reader.duration(
            "websocket.write_timeout",
            "how long a client may read nothing of what it is sent",
            10 * SECOND,
            SECOND..=HOUR,
        ),
        compression: compression(reader),
    }
}

fn compression(reader: &mut Reader<'_>) -> Option<CompressionSettings> {
    let enabled = reader.flag(
        "websocket.compression",
        "whether messages are compressed for clients that offer it (permessage-deflate)",
        false,
    );
    let level = reader.count(
        "websocket.compression_level",
        "how hard it tries: 1 is the fastest, 9 makes the smallest",
        1,
        1..=9,
    );
    let bytes_min = reader.count(
        "websocket.compression_min_size",
        "messages of fewer bytes are sent as they are",
        COMPRESSION_BYTES_MIN,
        0..=MESSAGE_BYTES_MAX,
    );
    let takeover = reader.flag(
        "websocket.compression_context_takeover",
        "whether messages may refer to those before them: smaller, at 0.35 MB and a compressor for each client",
        false,
    );
    let contexts_max = reader.count(
        "websocket.compression_context_limit",
        "how many clients may have that at once; others are served without",
        1000,
        1..=CONNECTIONS_MAX,
    );
    // The range has just been checked, so that the cast loses nothing.
    enabled.then_some(CompressionSettings {
        how: Compression { level: level as u8, bytes_min },
        contexts_max: if takeover { contexts_max } else { 0 },
    })
}

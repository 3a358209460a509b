//! Checks that look at more than one option, or at more than its type.

use std::time::Duration;

use spanwire_hub::limits::Limits;

use super::reader::Reader;

/// A ping must be answered before the next one is sent, or an answer could be for either.
pub(super) fn limits(reader: &mut Reader<'_>, limits: &Limits) {
    if limits.ping_interval > Duration::ZERO && limits.pong_timeout >= limits.ping_interval {
        reader.conflict("client.pong_timeout", "must be shorter than client.ping_interval");
    }
}

/// A namespace's name must be told apart from the rest of a channel's name.
pub(super) fn namespace_name(reader: &mut Reader<'_>, name: &str) {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.len() < 2 || !name.bytes().all(is_fine) {
        reader.conflict("name", "must have at least two characters, of a-z A-Z 0-9 - _ .");
    }
}

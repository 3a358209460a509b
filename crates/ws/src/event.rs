//! What a peer said.

use crate::close::CloseFrame;

/// One thing the peer said, lent from the caller's buffer or from the connection until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message, checked to be UTF-8 (RFC 6455 section 5.6).
    Text(&'a str),
    /// A whole binary message (section 5.6).
    Binary(&'a [u8]),
    /// A ping of at most 125 bytes. Answer with a pong that carries the same bytes (section 5.5.2).
    Ping(&'a [u8]),
    /// A pong of at most 125 bytes, asked for or not (section 5.5.3).
    Pong(&'a [u8]),
    /// The peer's last word; nothing comes after it (section 5.5.1). Send
    /// [`Connection::answer`](crate::Connection::answer), if it returns anything, and hang up.
    Close(CloseFrame<'a>),
}

//! Scenes with a client of tokio and a server that says what it is told to, over sockets of loopback.
//!
//! What the client decides is tested in `spanwire-client-core`, without sockets. Here it is what stands around it:
//! connections, readers and their buffers, tokens, handles, and the end.

mod scenes {
    mod calling;
    mod connecting;
    mod ending;
    mod reading;
    mod tokens;
}
mod support;

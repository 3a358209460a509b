//! `spanwire-client`, as Rust programs use it: the real server, and a line between them that can be cut.

mod asking;
mod guide;
mod ladder;
mod listener;
mod mending;
mod speaking;
mod tokens;

//! Shards over real sockets, on the test's own thread and clock.

mod close;
mod deflate;
mod echo;
mod overload;
mod pipes;
mod pressure;
mod rooms;
pub(in crate::engine) mod scene;

//! Spanwire within an axum application: its examples as users start them, and what its own server does to sockets.

mod chat;
mod deltas;
mod events;
mod hyper;
mod lending;
mod rpc;
mod session_cookie;

//! Spanwire's world: everything that binds, reads, spawns and logs.
//!
//! A [`Node`] is one server process. It begins as layers of configuration ([`config`]), and is made of the
//! [`engine`], which has the shards with all sessions and channels, and the HTTP [`edge`], where every connection
//! begins. [`auth`] says who may come in, and so may the [`backend`], an application that is asked; [`events`] tell it
//! what has happened; [`tls`] says who we are to them. The `spanwire` command ([`cli`]) wraps it for a shell. An
//! application that has a server of its own takes a [`Hub`] instead ([`embed`]): the same engine and edge, without
//! listeners.
//!
//! ```text
//! cli ─► config ─► node ─┬► engine   shards: sockets, sessions, channels
//!                        └► edge     HTTP: upgrades, server API, pages, metrics
//! ```
#![forbid(unsafe_code)]

pub mod api;
mod assembly;
mod assets;
pub mod auth;
pub mod backend;
mod chance;
pub mod cli;
pub mod config;
mod descriptors;
mod dev_backend;
mod dev_feeds;
mod dev_proxy;
pub mod edge;
pub mod embed;
pub mod engine;
pub mod events;
mod http_client;
mod log;
pub mod metrics;
mod node;
mod profile;
mod reload;
pub mod test;
pub mod tls;
mod whole;

pub use chance::Chance;
pub use embed::{
    Accept, Allow, ConnectCtx, DisconnectCtx, Hub, Namespace, Pub, PublishCtx, RefreshCtx, Reject, Renew,
    RpcCtx, SubRefreshCtx, SubscribeCtx, termination,
};
pub use node::{Node, RunError, StartError};
pub use profile::Profile;

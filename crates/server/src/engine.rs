//! The engine: shards, each one thread with the sockets, sessions and channels that are its own.
//!
//! Nothing of a shard is locked or shared. It sleeps on one epoll set, wakes up, and takes a *turn*
//! (`shard::Shard::turn`): it reads what has arrived, lets the [`Hub`](spanwire_hub::Hub) decide, and writes once
//! to each connection that got something. Under load, turns grow and each write carries more; when idle, a message
//! waits for nothing. Shards talk to each other by letters in [bounded mailboxes](limits::MAILBOX_BYTES_MAX).
//!
//! ```text
//! listener ─► serve (HTTP edge) ─► ShardHandle::adopt ─► poller ─► read ─► Hub ─► outboxes ─► write
//!                                                                      ▲ │
//!                                               bus: who owns a channel? ┴─► mailboxes of other shards
//! ```
//!
//! What no raw socket carries comes in by [`ShardHandle::open_piped`]: a task serves the client, and meets the hub
//! [by memory](pipe).
//!
//! Every channel is owned by one shard, chosen by the hash of its name. The owner's broker gives offsets, keeps
//! history, and sends a publication once to each shard that has subscribers.

mod addresses;
mod arrival;
mod bus;
mod clock;
mod compressor;
mod connection;
mod connections;
mod deadlines;
mod driver;
mod failures;
mod few_lines;
mod handle;
mod headcount;
mod heartbeat;
mod letter;
pub mod limits;
mod link;
mod listener;
mod mailbox;
mod node;
mod onlooker;
mod ownership;
mod permits;
pub mod pipe;
mod pipes;
mod poller;
mod shard;
pub mod stats;
mod transport;
mod users;
mod writer;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) use addresses::Block;
pub use addresses::{Addresses, Visitor};
pub use arrival::{Agreed, Arrival, Incoming, Purpose};
pub use compressor::Compression;
pub(crate) use connection::opcode_of;
pub use handle::{EngineHandle, ShardHandle, Stopped};
pub(crate) use heartbeat::{Beat, Heartbeat, Rhythm};
pub use link::Link;
pub use node::{Engine, ShardFailed};
pub use onlooker::Onlooker;
pub use permits::Permit;
pub(crate) use permits::Permits;
pub use transport::Transport;

use crate::auth::Authorize;
use crate::backend::Backend;
use crate::events::Events;

/// What becomes of an accepted socket before it is a WebSocket: the HTTP edge. Runs as a task of its own on the
/// runtime of the shard that accepted the socket, and hands a WebSocket back by [`ShardHandle::adopt`].
pub type Serve = Arc<dyn Fn(Incoming) -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync>;

/// What an engine is told once.
#[derive(Clone)]
pub struct EngineConfig {
    /// How many threads share the work; 0 is one for each core that the process may use.
    pub shards: usize,
    /// Where to listen. Each shard listens at each address (`SO_REUSEPORT`); port 0 is chosen by the system, once.
    pub listen: Vec<SocketAddr>,
    /// Most connections at a time, over all shards, HTTP and WebSocket together; further ones are closed at once.
    pub connections_max: usize,
    /// Most connections of one user at a time, over all shards; a further one is refused with code 3504. 0 is any
    /// number (`client.user_connection_limit`).
    pub user_connections_max: usize,
    /// The longest message that a client of a session may send, in bytes (`websocket.message_size_limit`); a longer
    /// one ends the connection with close code 1009.
    pub message_bytes_max: usize,
    /// How long a client may leave a write blocked, with no byte taken, before its session ends with code 3009.
    pub write_timeout: std::time::Duration,
    /// How messages are compressed, for those who agreed on that in their handshakes.
    pub compression: Compression,
    /// Sessions: what they may cost, and what clients may do where.
    pub hub: spanwire_hub::Config,
    /// How many bad tokens of one address are looked at before no other is for a while.
    pub auth_failure_rate: spanwire_hub::rate::Rate,
    /// Who says who somebody is.
    pub authorize: Arc<dyn Authorize>,
    /// The backend, if there is one that decides.
    pub backend: Option<Backend>,
    /// Who is told of the lives of clients, if anybody is.
    pub events: Option<Events>,
    /// Who sees in this process that clients come and go, if anybody does.
    pub onlooker: Option<Onlooker>,
    /// The HTTP edge.
    pub serve: Serve,
    /// Where all chance of this engine comes from: client ids, epochs, who owns which channel.
    pub seed: [u8; 32],
}

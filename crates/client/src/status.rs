//! How it goes.

use spanwire_client_core::Transport;
use tokio::time::Instant;

use crate::event::Ended;

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// A connection is being made.
    Connecting {
        /// Over which transport it is tried.
        transport: Transport,
    },
    /// The server has let us in.
    Connected {
        /// The id of this session, by which others see it.
        client: String,
        /// What carries it.
        transport: Transport,
    },
    /// The last try has failed, or the connection was lost; the next try comes by itself.
    Waiting {
        /// When it comes.
        retry_at: Instant,
        /// What became of the last one.
        why: Ended,
    },
    /// The client is closed, by the application's wish or because the server does not want it back. It stays so.
    Closed(Ended),
}

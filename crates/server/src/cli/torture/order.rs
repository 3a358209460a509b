//! What a member of the crowd can be told to do.

use std::time::Duration;

use super::ledger::Number;

/// What a member of the crowd can be told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Publish a number to a channel, by its index.
    Publish(Number, usize),
    /// Lose the connection as in a crash, or behind a NAT that forgot: RST. Then come back.
    Reset,
    /// Lose the connection as behind a proxy that was restarted: FIN, and no WebSocket close. Then come back.
    HangUp,
    /// Say goodbye in good order, and come back at once.
    Reconnect,
    /// Read nothing for this long.
    Stall(Duration),
    /// Leave a channel and come back to where it was, on the same connection.
    Rejoin(usize),
}

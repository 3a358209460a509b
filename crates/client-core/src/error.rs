//! Why a call came to nothing.

use std::fmt;

use spanwire_wire::message;

/// Why a call, or a publish, was not answered by a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The server refused: its code, sentence, and whether trying again may help.
    Refused(message::Error),
    /// It was sent and its answer was lost. It may have been done or not, and repeating it could do it twice.
    Unacknowledged,
    /// Its time was over, and nothing was done: it was never sent, or it only asked and the answer did not come.
    Expired,
    /// Too much waits already ([`Limits::calls_max`](crate::Limits::calls_max) or
    /// [`Limits::calls_bytes_max`](crate::Limits::calls_bytes_max)). It was not taken.
    Full,
    /// There is no connection now, and it was not to wait for one. It was not sent.
    Offline,
    /// The client is not connected, and does not want to be: nothing waits for a connection that never comes.
    Closed,
    /// The server answered with something else than was asked for.
    Nonsense,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "refused: {} {}", error.code, error.message),
            Self::Unacknowledged => f.write_str("sent, but the answer was lost: it may have been done"),
            Self::Expired => f.write_str("its time was over, and nothing was done"),
            Self::Full => f.write_str("too much waits already: it was not taken"),
            Self::Offline => f.write_str("there is no connection now: it was not sent"),
            Self::Closed => f.write_str("the client is closed: it was not sent"),
            Self::Nonsense => f.write_str("the server answered another question"),
        }
    }
}

impl std::error::Error for CallError {}

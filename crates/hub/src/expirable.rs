//! What expires, and what comes of attempts to prolong it.

/// What a token, or the backend, grants for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expirable {
    /// A client's connection.
    Connection,
    /// One of its subscriptions.
    Subscription,
}

impl Expirable {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Subscription => "subscription",
        }
    }
}

/// What came of a client's `refresh` or `sub_refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refreshed {
    /// The token was accepted before the old one ran out.
    InTime,
    /// It was accepted, but what it prolongs had expired and lived on by the delay that it has for this
    /// (`expired_close_delay`, `expired_sub_close_delay`).
    Late,
    /// It was not accepted.
    Refused,
}

impl Refreshed {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InTime => "in_time",
            Self::Late => "late",
            Self::Refused => "refused",
        }
    }

    pub(crate) const fn accepted(is_late: bool) -> Self {
        if is_late { Self::Late } else { Self::InTime }
    }
}

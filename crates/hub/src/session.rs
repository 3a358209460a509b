//! One client's life.

/// What a token or the backend changes of a namespace's options for one subscription; `None` leaves an option alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// Count this subscriber in presence.
    pub presence: Option<bool>,
    /// Tell others when it comes and goes.
    pub join_leave: Option<bool>,
    /// Tell it who comes and goes.
    pub force_push_join_leave: Option<bool>,
    /// Give it positions.
    pub force_positioning: Option<bool>,
    /// Let it recover.
    pub force_recovery: Option<bool>,
}

//! What handlers may take.

use std::time::Duration;

use crate::backend::AdmissionLimits;

/// Most bytes of questions that wait for one handler: what clients can make the process keep by asking.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// What each handler may take, of the application and of the clients' time. They hold for each handler by itself, so
/// that a slow one does not hold up the others.
///
/// How many questions are under way follows how fast they are answered, as for a backend beside the server: it begins
/// small and grows while answers come as quickly as before. Who would have to wait for too long is sent away at once;
/// a client that connects is told when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerLimits {
    /// How long an answer may take. After that the client is answered error 100 (internal, temporary), and the
    /// handler's task is stopped at the next place where it waits. Code that blocks its thread cannot be stopped.
    pub timeout: Duration,
    /// Most questions under way at a time.
    pub in_flight_max: usize,
    /// Most questions that wait for their turn.
    pub waiting_max: usize,
    /// Longest that a question waits for its turn.
    pub wait_max: Duration,
}

impl Default for HandlerLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            in_flight_max: 256,
            waiting_max: 10_000,
            wait_max: Duration::from_secs(2),
        }
    }
}

impl HandlerLimits {
    pub(super) fn admission(self) -> AdmissionLimits {
        AdmissionLimits {
            in_flight_max: self.in_flight_max,
            waiting_max: self.waiting_max,
            waiting_bytes_max: WAITING_BYTES_MAX,
            wait_max: self.wait_max,
        }
    }
}

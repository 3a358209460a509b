//! What the subscribers have heard.

use std::time::Duration;

use tokio::time::Instant;

use super::super::torture::Latency;

/// What all subscribers have heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// First deliveries of a message to a subscriber.
    pub(super) delivered: u64,
    /// Messages that a subscriber heard again, or behind a later one.
    pub(super) repeated: u64,
    /// How often a subscriber's connection was lost.
    pub(super) interrupted: u64,
    pub(super) latency: Latency,
    /// When the last delivery came.
    pub(super) last: Option<Instant>,
}

/// What one subscriber is owed next.
#[derive(Debug, Default)]
pub(super) struct Ear {
    next: u32,
}

impl Ear {
    /// Counts a message; the result is whether it was the last one of so many.
    pub(super) fn hear(
        &mut self,
        number: u32,
        late: Duration,
        now: Instant,
        messages: u32,
        tally: &mut Tally,
    ) -> bool {
        if number < self.next {
            tally.repeated += 1;
        } else {
            // What was passed over is missing in the end: nothing needs to be counted for it.
            self.next = number + 1;
            tally.delivered += 1;
            tally.latency.record(late);
            tally.last = Some(now);
        }
        self.next >= messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_or_too_late_is_no_delivery() {
        let (mut ear, mut tally) = (Ear::default(), Tally::default());
        let heard = [0, 1, 1, 3, 2, 4]
            .map(|number| ear.hear(number, Duration::from_millis(1), Instant::now(), 5, &mut tally));
        assert_eq!(heard, [false, false, false, false, false, true]);
        assert_eq!((tally.delivered, tally.repeated, tally.latency.count()), (4, 2, 4));
    }
}

//! Complaints about a backend: one in a while, however much there is to complain about.

use std::time::{Duration, Instant};

/// At most one line in this time.
const PAUSE: Duration = Duration::from_secs(10);

/// When there was a complaint last, and how many were kept back since. Time is passed in.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Option<Instant>,
    unsaid: u64,
}

impl Complaints {
    /// Whether this one is to be said; if so, how many before it were not.
    pub(super) fn say(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_troubles_is_one_line_and_a_number() {
        let (mut complaints, now) = (Complaints::default(), Instant::now());
        assert_eq!(complaints.say(now), Some(0));
        for _ in 0..1000 {
            assert_eq!(complaints.say(now + PAUSE / 2), None);
        }
        assert_eq!(complaints.say(now + PAUSE), Some(1000));
    }
}

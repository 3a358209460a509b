//! What is published, and told apart when it comes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::chance::Chance;

/// One run of the command. Others may publish to the same channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    id: u32,
    began: Instant,
}

/// A message as it is published.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    #[serde(flatten)]
    pub(super) mark: Mark,
    filler: String,
}

/// What is read of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    run: u32,
    pub(super) number: u32,
    /// When it was due, in microseconds since the run began.
    due_us: u64,
}

impl Run {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let [a, b, c, d, ..] = chance.seed();
        Self { id: u32::from_le_bytes([a, b, c, d]), began: Instant::now() }
    }

    /// A message whose JSON has this length, if its numbers leave room for that.
    pub(super) fn message(self, number: u32, due: Instant, bytes: u32) -> Message {
        let due_us = due.saturating_duration_since(self.began).as_micros();
        let mark = Mark { run: self.id, number, due_us: u64::try_from(due_us).unwrap_or(u64::MAX) };
        let mut message = Message { mark, filler: String::new() };
        // Numbers and letters: nothing in it that could fail.
        let bare = serde_json::to_string(&message).map_or(0, |json| json.len());
        message.filler = "x".repeat((bytes as usize).saturating_sub(bare));
        message
    }

    /// How late a message is that comes now; `None` if it is of another run.
    pub(super) fn lateness(self, mark: &Mark, now: Instant) -> Option<Duration> {
        let due = self.began + Duration::from_micros(mark.due_us);
        (mark.run == self.id).then(|| now.saturating_duration_since(due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_it_was_wanted_and_knows_its_run() {
        let run = Run { id: 7, began: Instant::now() };
        let due = run.began + Duration::from_millis(5);
        let json = serde_json::to_string(&run.message(12, due, 128)).unwrap();
        assert_eq!(json.len(), 128, "{json}");
        let mark: Mark = serde_json::from_str(&json).unwrap();
        assert_eq!(mark.number, 12);
        assert_eq!(run.lateness(&mark, due + Duration::from_millis(3)), Some(Duration::from_millis(3)));
        let other = Run { id: 8, ..run };
        assert_eq!(other.lateness(&mark, due), None);
    }
}

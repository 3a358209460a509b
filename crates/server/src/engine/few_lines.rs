//! How many lines the log is told of one subject: enough to see what is wrong, and never more than a disk can take.

use std::time::Duration;

use spanwire_hub::time::Instant;

/// Most lines of one shard in a [`PERIOD`]: who repairs a configuration needs the first, and strangers cause the rest.
const LINES_MAX: u32 = 10;
const PERIOD: Duration = Duration::from_secs(60);

/// How many lines there were of late, and how many were kept back. Time is passed in.
#[derive(Debug, Default)]
pub(super) struct FewLines {
    /// When the period began, and its lines so far.
    period: Option<(Instant, u32)>,
    unsaid: u64,
}

impl FewLines {
    /// Whether there may be another line; if so, how many were kept back since the last one.
    pub(super) fn may_say(&mut self, now: Instant) -> Option<u64> {
        let begun = self.period.filter(|(since, _)| now.since(*since) < PERIOD);
        let (since, lines) = begun.unwrap_or((now, 0));
        if lines >= LINES_MAX {
            self.unsaid += 1;
            return None;
        }
        self.period = Some((since, lines + 1));
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_ten_lines_a_minute_and_a_number() {
        let (mut lines, start) = (FewLines::default(), Instant::from_millis(1000));
        let said = (0..1000).filter(|_| lines.may_say(start + PERIOD / 2).is_some()).count();
        assert_eq!(said, 10);
        assert_eq!(lines.may_say(start + PERIOD), None, "the period began with its first line");
        assert_eq!(lines.may_say(start + PERIOD / 2 + PERIOD), Some(991));
        assert_eq!(lines.may_say(start + PERIOD / 2 + PERIOD), Some(0));
    }
}

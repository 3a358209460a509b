//! How many lines the log is told of one subject: enough to see what is wrong, and never more than a disk can take.

use std::fmt::Display;
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
    /// Logs a line, unless there were enough of late; and how many were kept back since the last one, if any were.
    pub(super) fn say(&mut self, now: Instant, line: impl Display) {
        match self.may_say(now) {
            Some(0) => tracing::info!("{line}"),
            Some(unsaid) => tracing::info!(unsaid, "{line}"),
            None => {}
        }
    }

    /// Whether there may be another line; if so, how many were kept back since the last one.
    fn may_say(&mut self, now: Instant) -> Option<u64> {
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
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the log is told, line by line.
    fn said(what: impl FnOnce()) -> Vec<String> {
        let said = Said::default();
        let sink = said.clone();
        let log =
            tracing_subscriber::fmt().without_time().with_target(false).with_level(false).with_ansi(false);
        tracing::subscriber::with_default(log.with_writer(move || sink.clone()).finish(), what);
        let text = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn a_flood_is_ten_lines_a_minute_and_a_number() {
        let (mut lines, start) = (FewLines::default(), Instant::from_millis(1000));
        let first = said(|| (0..1000).for_each(|_| lines.say(start + PERIOD / 2, "line")));
        assert_eq!(first, ["line"; 10]);
        let next = said(|| {
            lines.say(start + PERIOD, "the period began with its first line");
            lines.say(start + PERIOD / 2 + PERIOD, "late");
            lines.say(start + PERIOD / 2 + PERIOD, "later");
        });
        assert_eq!(next, ["late unsaid=991", "later"]);
    }
}

//! The log: lines that a thread of its own writes, so that nobody who logs ever waits for who reads.
//!
//! A pipe that nobody reads takes 64 KiB and then blocks whoever writes. A shard that logged into it would stand still,
//! and its clients with it. So lines wait in a queue with a bound; beyond it they are dropped and counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Most lines that wait.
const LINES_MAX: usize = 1024;

/// Longest line, in bytes; the rest of a longer one is left out.
const LINE_BYTES_MAX: usize = 8 << 10;

/// How long the end of the process waits for the last lines.
const FLUSH_PATIENCE: Duration = Duration::from_secs(1);

/// A process has one log, as it has one stderr, and so one count of what was left out of it.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines nobody will read, because who reads the log did not keep up.
pub(crate) fn lines_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// The way into the log. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Queue>);

/// Waits, when it is dropped, until the last lines are written, or too long for that.
#[derive(Debug)]
pub(crate) struct LastLines(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    /// A line has been taken and is not written yet.
    writing: bool,
}

impl Log {
    /// A log into `sink`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(sink: impl Write + Send + 'static) -> io::Result<(Self, LastLines)> {
        let queue = Arc::new(Queue::default());
        let writer = queue.clone();
        // It ends with the process: a write that blocks for ever must not keep that from ending.
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_to(sink))?;
        Ok((Self(queue.clone()), LastLines(queue)))
    }
}

impl Queue {
    fn write_to(&self, mut sink: impl Write) {
        loop {
            let mut waiting = self.lock();
            waiting.writing = false;
            self.changed.notify_all();
            let mut waiting = self
                .changed
                .wait_while(waiting, |waiting| waiting.lines.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let Some(line) = waiting.lines.pop_front() else { continue };
            waiting.writing = true;
            drop(waiting);
            // Where a line cannot be written, nor can a complaint about it.
            let _ = sink.write_all(&line).and_then(|()| sink.flush());
        }
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() >= LINES_MAX {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.lines.push_back(shortened(line));
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shortened(line: &[u8]) -> Vec<u8> {
    if line.len() <= LINE_BYTES_MAX {
        return line.to_vec();
    }
    [&line[..LINE_BYTES_MAX], b"...\n"].concat()
}

/// A line comes in one write.
impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        let is_busy = |waiting: &mut Waiting| waiting.writing || !waiting.lines.is_empty();
        // Who has not read by then does not read.
        let _ = self.0.changed.wait_timeout_while(self.0.lock(), FLUSH_PATIENCE, is_busy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// What is written, line by line; each write waits until it is wanted.
    struct Reader(mpsc::SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_does_not_wait_and_what_is_too_much_is_dropped_and_counted() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let (mut log, last_lines) = Log::start(Reader(sender)).unwrap();
        let before = lines_dropped();
        // Nobody reads. One line more than may wait can be in the writer's hands.
        for number in 0..LINES_MAX + 10 {
            log.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let dropped = (lines_dropped() - before) as usize;
        assert!((9..=10).contains(&dropped), "{dropped}");
        for number in 0..LINES_MAX + 10 - dropped {
            assert_eq!(receiver.recv().unwrap(), format!("{number}\n").as_bytes());
        }
        drop(last_lines);
        assert!(log.0.lock().lines.is_empty());
    }

    #[test]
    fn a_line_has_a_bound() {
        assert_eq!(shortened(b"short\n"), b"short\n");
        assert_eq!(shortened(&[b'x'; 2 * LINE_BYTES_MAX]).len(), LINE_BYTES_MAX + 4);
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let path = std::env::temp_dir().join(format!("spanwire-log-{}", std::process::id()));
        let (mut log, last_lines) = Log::start(std::fs::File::create(&path).unwrap()).unwrap();
        for _ in 0..LINES_MAX {
            log.write_all(b"line\n").unwrap();
        }
        drop(last_lines);
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written.lines().count(), LINES_MAX);
    }
}

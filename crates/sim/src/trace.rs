//! What happened, as a hash for comparing runs and as lines for people.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Most lines that are kept: the last ones, for those tell what went wrong.
const LINES_MAX: usize = 100_000;

/// Notes all that crosses the network or reaches an application.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { hasher: DefaultHasher::new(), lines: verbose.then(Vec::new) }
    }

    /// Something that must be the same in each run of the same seed.
    pub(crate) fn mark(&mut self, at: u64, what: impl Hash) {
        (at, what).hash(&mut self.hasher);
    }

    /// A line for people; it is only made if somebody reads.
    pub(crate) fn say(&mut self, at: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.len() < LINES_MAX) {
            lines.push(format!("{:>8.3}  {}", at as f64 / 1000.0, line()));
        }
    }

    pub(crate) fn end(self) -> (u64, Vec<String>) {
        (self.hasher.finish(), self.lines.unwrap_or_default())
    }
}

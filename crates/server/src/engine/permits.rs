//! How many connections there may be at a time, and how many of them may keep a window.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Gives out a right, a bounded number of times.
#[derive(Debug)]
pub(crate) struct Permits(Arc<AtomicUsize>);

/// The right of one connection to be there, or to keep something; whoever drops it gives it back.
#[derive(Debug)]
pub struct Permit(Arc<AtomicUsize>);

impl Permits {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(count)))
    }

    /// One permit, unless all are out.
    pub(crate) fn acquire(&self) -> Option<Permit> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.is_ok().then(|| Permit(self.0.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Permits;

    #[test]
    fn a_dropped_permit_can_be_had_again() {
        let permits = Permits::new(2);
        let (first, second) = (permits.acquire(), permits.acquire());
        assert!(first.is_some() && second.is_some());
        assert!(permits.acquire().is_none());
        drop(first);
        assert!(permits.acquire().is_some());
    }
}

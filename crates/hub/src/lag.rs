//! How many subscriptions of one client lag, and whether any ever has.

/// A count, and one bit for the memory of it: as small as a number, since every client has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag(u32);

impl Lag {
    const EVER: u32 = 1 << 31;

    /// One more lags. Whether it is the first one ever.
    pub(crate) fn begin(&mut self) -> bool {
        let is_first = self.0 & Self::EVER == 0;
        self.0 = (self.0 + 1) | Self::EVER;
        is_first
    }

    /// One of them does not any more.
    pub(crate) fn end(&mut self) {
        self.0 -= 1;
    }

    /// Whether any does.
    #[inline]
    pub(crate) fn is_any(self) -> bool {
        self.0 & !Self::EVER > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_lagged_once_is_known_for_it_and_need_not_lag_any_more() {
        let mut lag = Lag::default();
        assert!(!lag.is_any());
        assert!(lag.begin() && !lag.begin());
        lag.end();
        assert!(lag.is_any());
        lag.end();
        assert!(!lag.is_any() && !lag.begin() && lag.is_any());
    }
}

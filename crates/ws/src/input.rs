//! Bytes that have arrived, in a buffer of the caller's.

/// A cursor over received bytes, which are unmasked and lent to the caller where they lie.
///
/// One scratch buffer can serve every connection of a thread: nothing of it is kept when
/// [`Connection::next`](crate::Connection::next) has returned `None`.
#[derive(Debug)]
pub struct Input<'b> {
    rest: &'b mut [u8],
}

impl<'b> Input<'b> {
    /// Begins at the first of `bytes`, which must be what followed the bytes of the last call on the wire.
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that no event has taken yet.
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was taken.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> &[u8] {
        self.rest
    }

    /// Takes `count` bytes, or all if there are fewer. They outlive the cursor, so that they can be lent.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'b mut [u8] {
        let rest = std::mem::take(&mut self.rest);
        let (taken, rest) = rest.split_at_mut(count.min(rest.len()));
        self.rest = rest;
        taken
    }

    pub(crate) fn take_up_to(&mut self, count: u64) -> &'b mut [u8] {
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(crate) fn discard(&mut self) {
        self.rest = &mut [];
    }
}

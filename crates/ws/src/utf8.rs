//! Text that arrives in pieces (RFC 6455 section 8.1).

use crate::PeerError;

/// Text as far as it has come: whole characters, and the first bytes of one whose rest is still to come.
///
/// Every byte is validated once, when it arrives. So a peer who breaks UTF-8 is told at the first byte that
/// cannot be right, and the finished message needs no second look.
#[derive(Debug, Default)]
pub(crate) struct Text {
    valid: String,
    begun: Begun,
}

/// One to three bytes that could still become a character, or none.
#[derive(Debug, Default)]
struct Begun {
    bytes: [u8; 4],
    len: usize,
}

impl Text {
    /// Appends what arrived.
    ///
    /// # Errors
    ///
    /// [`PeerError::InvalidUtf8`] when no continuation could make this UTF-8.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), PeerError> {
        let bytes = self.finish_character(bytes)?;
        let valid = match str::from_utf8(bytes) {
            Ok(all) => all,
            Err(error) => {
                let (valid, cut) = bytes.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    return Err(PeerError::InvalidUtf8);
                }
                self.begun = Begun::of(cut);
                str::from_utf8(valid).map_err(|_| PeerError::InvalidUtf8)?
            }
        };
        self.valid.push_str(valid);
        Ok(())
    }

    /// The whole text.
    ///
    /// # Errors
    ///
    /// [`PeerError::InvalidUtf8`] when it ends inside a character.
    pub(crate) fn finish(self) -> Result<String, PeerError> {
        if self.begun.len == 0 { Ok(self.valid) } else { Err(PeerError::InvalidUtf8) }
    }

    /// Bytes that have arrived.
    pub(crate) fn len(&self) -> usize {
        self.valid.len() + self.begun.len
    }

    /// The memory of the whole characters, for the owner to grow.
    pub(crate) fn buffer(&mut self) -> &mut String {
        &mut self.valid
    }

    /// Bytes of memory kept.
    pub(crate) fn capacity(&self) -> usize {
        self.valid.capacity()
    }

    /// Feeds the begun character until it is whole, and returns what it did not need.
    fn finish_character<'b>(&mut self, mut bytes: &'b [u8]) -> Result<&'b [u8], PeerError> {
        while self.begun.len > 0
            && let Some((&byte, rest)) = bytes.split_first()
        {
            bytes = rest;
            self.begun.bytes[self.begun.len] = byte;
            self.begun.len += 1;
            match str::from_utf8(&self.begun.bytes[..self.begun.len]) {
                Ok(character) => {
                    self.valid.push_str(character);
                    self.begun.len = 0;
                }
                // No error length means: right so far, but cut. Four bytes are never cut, so they always fit.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(PeerError::InvalidUtf8),
            }
        }
        Ok(bytes)
    }
}

impl Begun {
    /// Keeps the start of a character, which is at most three bytes.
    fn of(cut: &[u8]) -> Self {
        let mut begun = Self::default();
        for (kept, byte) in begun.bytes.iter_mut().zip(cut) {
            *kept = *byte;
            begun.len += 1;
        }
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use proptest::prelude::*;

    fn in_pieces(bytes: &[u8], size: usize) -> Option<String> {
        let mut text = Text::default();
        bytes.chunks(size).try_for_each(|piece| text.push(piece)).ok()?;
        text.finish().ok()
    }

    proptest! {
        #[test]
        fn pieces_say_what_the_whole_says(bytes: Vec<u8>, size in 1_usize..9) {
            prop_assert_eq!(in_pieces(&bytes, size), String::from_utf8(bytes.clone()).ok());
        }

        #[test]
        fn text_survives_being_cut(text: String, size in 1_usize..9) {
            prop_assert_eq!(in_pieces(text.as_bytes(), size), Some(text.clone()));
        }

        #[test]
        fn a_byte_that_cannot_be_right_is_refused_when_it_arrives(text: String, wrong in 0xf5_u8..) {
            let mut pieces = Text::default();
            for byte in text.as_bytes() {
                prop_assert!(pieces.push(&[*byte]).is_ok());
            }
            prop_assert!(pieces.push(&[wrong]).is_err());
        }
    }
}

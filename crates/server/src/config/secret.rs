//! Keys that must not show up in logs.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A key. It prints as `***`, and comparing with it takes the same time wherever the difference lies.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for those who compute with it. It is not to be written anywhere.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether somebody knows the secret. How long this takes tells the length of the secret at most.
    pub fn is(&self, guess: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(guess).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_knows_itself_and_shows_itself_to_nobody() {
        let secret = Secret::new("open sesame");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert!(secret.is(b"open sesame"));
        for guess in [b"".as_slice(), b"open sesam", b"open sesame!", b"Open sesame"] {
            assert!(!secret.is(guess));
        }
    }
}

//! The keys by which client and server prove to each other that they speak WebSocket.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest as _, Sha1};

/// What a server appends to the client's key before hashing (RFC 6455 section 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Characters of a key: 16 bytes in base64.
const KEY_CHARS: usize = 24;

/// Characters of an accept key: the 20 bytes of SHA-1 in base64.
const ACCEPT_CHARS: usize = 28;

/// Sixteen bytes leave four unused bits in the last character. Clients that draw 22 random characters rather
/// than 16 random bytes do not clear them; what they decode to is 16 bytes all the same, which is all that
/// section 4.2.1 asks for.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// `Sec-WebSocket-Key`: what the client drew, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key([u8; KEY_CHARS]);

/// `Sec-WebSocket-Accept`: what proves that the server read the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcceptKey([u8; ACCEPT_CHARS]);

impl Key {
    /// The key of a client that drew these bytes.
    pub(crate) fn of_nonce(nonce: [u8; 16]) -> Self {
        let mut chars = [0; KEY_CHARS];
        encode(&nonce, &mut chars);
        Self(chars)
    }

    /// The key in a header, if it is 16 bytes in base64.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let chars = value.try_into().ok()?;
        let mut bytes = [0; KEY_CHARS / 4 * 3];
        let decoded = BASE64.decode_slice(value, &mut bytes).ok()?;
        (decoded == 16).then_some(Self(chars))
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default() // Base64 is ASCII.
    }

    /// What the server answers to this key (section 4.2.2, item 5.4).
    pub(crate) fn accept(&self) -> AcceptKey {
        let hash = Sha1::new().chain_update(self.0).chain_update(MAGIC).finalize();
        let mut chars = [0; ACCEPT_CHARS];
        encode(&hash, &mut chars);
        AcceptKey(chars)
    }
}

impl AcceptKey {
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default() // Base64 is ASCII.
    }
}

/// Writes base64 into a buffer whose size is the encoding's.
fn encode(bytes: &[u8], chars: &mut [u8]) {
    let written = BASE64.encode_slice(bytes, chars);
    debug_assert!(written.is_ok(), "the buffer is as long as the encoding");
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn the_example_of_section_1_3_holds() {
        let key = Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!(key, Key::of_nonce(*b"the sample nonce"));
        assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        assert!(Key::parse(b"AAAAAAAAAAAAAAAAAAAAAP==").is_some(), "unused bits do not matter");
        let wrong: [&[u8]; 6] = [
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZ===",
            b"dGhlIHNhbXBsZSBub25jZSE=",
            b"dGhlIHNhbXBsZSBub25j!Q==",
            b"dGhlIHNhbXBsZSBub25jZQ==AAAA",
        ];
        for value in wrong {
            assert_eq!(Key::parse(value), None, "{}", value.escape_ascii());
        }
    }
}

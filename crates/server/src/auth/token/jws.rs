//! The compact serialization of a signed token (RFC 7515 section 3.1): three texts with dots between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::algorithm::Algorithm;

/// The longest token that is looked at, in bytes. It holds a thousand channels, and is less than a message may have.
pub(super) const TOKEN_BYTES_MAX: usize = 64 << 10;

/// A token taken apart. Nothing in it is true yet.
#[derive(Debug)]
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    /// Which key it says it is signed with.
    pub(super) kid: Option<String>,
    /// What was signed.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

/// The parameters of the header that we look at.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood or the token refused (RFC 7515 section 4.1.11); we understand none.
    crit: Option<IgnoredAny>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart; `None` if it is none, or if it is signed in a way that is not known.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        let algorithm = Algorithm::named(&header.alg)?;
        let signature = BASE64.decode(signature).ok()?;
        Some(Self { algorithm, kid: header.kid, message, signature, claims })
    }

    /// What it claims. Only for whoever has verified the signature.
    pub(super) fn claims(&self) -> Option<Box<RawValue>> {
        serde_json::from_slice(&BASE64.decode(self.claims).ok()?).ok()
    }
}

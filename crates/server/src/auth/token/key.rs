//! One key that tokens are signed with.

use std::fmt;

use super::algorithm::{Algorithm, Family};
use super::jws::Jws;

/// A secret, or a public key, and what it may verify.
///
/// What a key verifies belongs to the key and not to the token, so `none`, or a public key used as a secret, cannot be
/// chosen by a stranger.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    family: Family,
    /// A secret; or a public key: a SubjectPublicKeyInfo or PKCS #1 in DER, a curve's uncompressed point, or the 32 bytes
    /// of Ed25519.
    material: Vec<u8>,
    /// The one algorithm it is for, if that is said.
    only: Option<Algorithm>,
    /// How tokens call it.
    kid: Option<String>,
    /// Unix seconds at which it is not used any more.
    valid_until: Option<u64>,
}

impl Key {
    /// A secret that a backend and this server share: HS256, HS384 and HS512.
    pub fn secret(secret: &[u8]) -> Self {
        Self::new(Family::Secret, secret.to_vec())
    }

    pub(super) fn new(family: Family, material: Vec<u8>) -> Self {
        Self { family, material, only: None, kid: None, valid_until: None }
    }

    /// The key under a name: tokens that name another key are not tried with it.
    #[must_use]
    pub fn named(self, kid: Option<String>) -> Self {
        Self { kid, ..self }
    }

    /// The key until a moment, in Unix seconds: for the old one of a rotation.
    #[must_use]
    pub fn until(self, valid_until: Option<u64>) -> Self {
        Self { valid_until, ..self }
    }

    /// The key for one algorithm alone, named as `alg` names it; `None` if the key is of no use for it.
    #[must_use]
    pub fn only(self, algorithm: &str) -> Option<Self> {
        let algorithm = Algorithm::named(algorithm)?;
        (algorithm.family() == self.family).then_some(Self { only: Some(algorithm), ..self })
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn material(&self) -> &[u8] {
        &self.material
    }

    /// How long the secret is, in bytes; `None` for a public key.
    pub(super) fn secret_bytes(&self) -> Option<usize> {
        (self.family == Family::Secret).then_some(self.material.len())
    }

    /// Whether this key has signed the token. It is tried only with what it is for, and unless the token names
    /// another key.
    pub(super) fn has_signed(&self, jws: &Jws<'_>, now_unix: u64) -> bool {
        let is_other = |kid: &String| jws.kid.as_ref().is_some_and(|wanted| wanted != kid);
        if jws.algorithm.family() != self.family
            || self.only.is_some_and(|only| only != jws.algorithm)
            || self.valid_until.is_some_and(|until| until <= now_unix)
            || self.kid.as_ref().is_some_and(is_other)
        {
            return false;
        }
        jws.algorithm.verifies(&self.material, jws.message.as_bytes(), &jws.signature)
    }
}

/// Without what must stay secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("family", &self.family).field("kid", &self.kid).finish_non_exhaustive()
    }
}

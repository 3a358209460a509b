//! Public keys as JSON (RFC 7517), and sets of them.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::algorithm::Family;
use super::key::Key;

/// Most keys of a set that are kept: more than any rotation has, and few enough to try.
const KEYS_MAX: usize = 100;

/// Longest modulus of an RSA key, in bytes: 8,192 bits.
const MODULUS_BYTES_MAX: usize = 1024;

/// A JWK Set: `{"keys": […]}`.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Box<RawValue>>,
}

/// The members of a JWK that we look at.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a set that tokens can be verified with. What is of another kind, for another use, or malformed is passed
/// over, as RFC 7517 section 5 wants it; secrets too, for what is published is none.
///
/// `None` if this is no set.
pub(super) fn keys_of_set(json: &[u8]) -> Option<Vec<Key>> {
    let set: Set = serde_json::from_slice(json).ok()?;
    let keys = set.keys.iter().filter_map(|key| serde_json::from_str::<Jwk>(key.get()).ok()?.into_key());
    Some(keys.take(KEYS_MAX).collect())
}

impl Jwk {
    fn into_key(self) -> Option<Key> {
        if self.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => rsa(&decoded(&self.n)?, &decoded(&self.e)?)?,
            ("EC", Some("P-256")) => self.point(Family::P256, 32)?,
            ("EC", Some("P-384")) => self.point(Family::P384, 48)?,
            ("EC", Some("P-521")) => self.point(Family::P521, 66)?,
            ("OKP", Some("Ed25519")) => Key::new(Family::Ed25519, decoded(&self.x)?),
            _ => return None,
        };
        let key = key.named(self.kid);
        match self.alg {
            Some(name) => key.only(&name),
            None => Some(key),
        }
    }

    /// A point in its uncompressed form (SEC 1 section 2.3.3): both coordinates, each of the curve's length (RFC 7518
    /// section 6.2.1.2).
    fn point(&self, family: Family, length: usize) -> Option<Key> {
        let (x, y) = (decoded(&self.x)?, decoded(&self.y)?);
        (x.len() == length && y.len() == length).then(|| Key::new(family, [&[4], &x[..], &y].concat()))
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Key> {
    if n.len() > MODULUS_BYTES_MAX || e.len() > size_of::<u64>() {
        return None;
    }
    let key: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into().ok()?;
    let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
    Some(Key::new(Family::Rsa, der.as_ref().to_vec()))
}

fn decoded(text: &Option<String>) -> Option<Vec<u8>> {
    BASE64.decode(text.as_ref()?).ok()
}

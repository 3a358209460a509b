//! The boundary between a stranger's token and the rights that it gives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use spanwire::auth::{Key, Rules, TokenError, Verifier};

/// The moment at which every token is judged, in seconds since 1970.
const NOW: u64 = 1_700_000_000;
/// The secret of the good keys.
const SECRET: &[u8] = b"a secret that is only ever used here";
/// Somebody else's.
const OTHER: &[u8] = b"a secret of somebody who is not us";
/// The algorithms that go with a shared secret.
const SIGNED: [(&str, Algorithm); 3] =
    [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)];
/// Names that must never be taken for one of them.
const NEVER: [&str; 8] = ["none", "None", "NONE", "", "RS256", "ES256", "EdDSA", "hs256"];

/// Bytes that are shown as a token, and once more as claims that we sign.
///
/// What must hold: who is let in shows a signature that we make ourselves, by an algorithm for shared secrets, and
/// is let in by that key alone; what the claims say of user and time is what becomes of them; and a signed token of
/// which anything was changed is nobody's.
///
/// # Panics
///
/// When one of these does not hold.
pub fn tokens(input: &[u8]) {
    shown(&String::from_utf8_lossy(input));
    for (name, algorithm) in SIGNED {
        let token = sign(name, algorithm, input);
        judged(input, &token);
        changed(&token, input);
    }
    for name in NEVER {
        forged(name, input);
    }
}

fn verifier(secret: &[u8]) -> Verifier {
    Verifier::new(vec![Key::secret(secret)], Rules::default())
}

/// Whether a token opens anything, as a connection's or a subscription's.
fn opens(secret: &[u8], token: &str) -> bool {
    let key = verifier(secret);
    let connects = key.connection(NOW, token).is_ok();
    connects || matches!(key.subscription(NOW, token, "$room", "ann"), Ok(Some(_)))
}

/// A token from anywhere: if it opens something, we could have signed it.
fn shown(token: &str) {
    assert!(!opens(OTHER, token), "a key that nobody signs with");
    if !opens(SECRET, token) {
        return;
    }
    let (message, signature) = token.rsplit_once('.').expect("a token has three parts");
    let (header, _) = message.split_once('.').expect("a token has three parts");
    let header: Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
    let named = SIGNED.iter().find(|(name, _)| header["alg"] == *name);
    let (_, algorithm) = named.expect("an algorithm for shared secrets");
    assert_eq!(signature, signature_of(message, *algorithm, SECRET), "a signature that we did not make");
}

/// Claims that are signed: they say who it is, or they are refused.
fn judged(claims: &[u8], token: &str) {
    assert!(!opens(OTHER, token), "the wrong key");
    let said: Option<Value> = serde_json::from_slice(claims).ok();
    match verifier(SECRET).connection(NOW, token) {
        Ok(credentials) => {
            let said = said.expect("claims are JSON");
            assert_eq!(credentials.user, said["sub"].as_str().unwrap_or_default());
            assert!(said["channel"].is_null(), "a subscription token opens no connection");
            assert!(said["exp"].as_f64().is_none_or(|exp| exp >= NOW as f64), "it has expired");
        }
        Err(TokenError::Expired) => {
            let exp = said.expect("claims are JSON")["exp"].as_f64();
            assert!(exp.is_some_and(|exp| exp < (NOW + 1) as f64), "it has not expired");
        }
        Err(TokenError::Invalid) => {}
        Err(TokenError::NoKeys) => panic!("no keys are published"),
    }
    if let Ok(Some(_)) = verifier(SECRET).subscription(NOW, token, "$room", "ann") {
        let said: Value = serde_json::from_slice(claims).expect("claims are JSON");
        assert_eq!((&said["channel"], &said["sub"]), (&json!("$room"), &json!("ann")));
    }
}

/// A signed token with one character replaced, which one the input decides.
fn changed(token: &str, input: &[u8]) {
    let sum = input.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let mut bytes = token.as_bytes().to_vec();
    let at = sum % bytes.len();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    assert!(!opens(SECRET, &String::from_utf8_lossy(&bytes)), "byte {at} of {token} was changed");
    assert!(!opens(SECRET, &token[..at]), "{token} was cut at {at}");
}

/// The claims under a header that names no algorithm of ours, with no signature and with good ones.
fn forged(name: &str, claims: &[u8]) {
    let message = message(name, claims);
    assert!(!opens(SECRET, &format!("{message}.")), "{name} without a signature");
    for (_, algorithm) in SIGNED {
        let token = format!("{message}.{}", signature_of(&message, algorithm, SECRET));
        assert!(!opens(SECRET, &token), "{name} with a signature");
    }
}

fn sign(name: &str, algorithm: Algorithm, claims: &[u8]) -> String {
    let message = message(name, claims);
    let signature = signature_of(&message, algorithm, SECRET);
    format!("{message}.{signature}")
}

fn message(name: &str, claims: &[u8]) -> String {
    let header = json!({ "alg": name, "typ": "JWT" }).to_string();
    format!("{}.{}", BASE64.encode(header), BASE64.encode(claims))
}

fn signature_of(message: &str, algorithm: Algorithm, secret: &[u8]) -> String {
    crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), algorithm).expect("a secret signs")
}

//! The signature by which the endpoint knows that a request is ours.

use aws_lc_rs::hmac;

use crate::config::Secret;

/// The header that carries it.
pub(super) const HEADER: &str = "x-spanwire-signature";

/// Signs a body: `t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`.
///
/// The time is signed along, so that whoever has overheard a request cannot bring it again much later.
pub(super) fn sign(secret: &Secret, unix_seconds: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let mut signing = hmac::Context::with_key(&key);
    signing.update(format!("{unix_seconds}.").as_bytes());
    signing.update(body);
    let digest = signing.sign();
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={unix_seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_together_with_the_time() {
        // python3: hmac.new(b"key", b"1700000000.{}", hashlib.sha256).hexdigest()
        let signature = sign(&Secret::new("key"), 1_700_000_000, b"{}");
        assert_eq!(
            signature,
            "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
        );
        assert_ne!(sign(&Secret::new("key"), 1_700_000_001, b"{}")[13..], signature[13..]);
    }
}

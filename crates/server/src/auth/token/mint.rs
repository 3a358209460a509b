//! Making tokens, for those who try things and have no backend yet.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::Verifier;

impl Verifier {
    /// A token with these claims, signed by HS256 with the first shared secret; `None` without a shared secret.
    pub fn mint(&self, claims: &Value) -> Option<String> {
        let key = self.keys.iter().find(|key| key.secret_bytes().is_some())?;
        let mut header = json!({ "alg": "HS256", "typ": "JWT" });
        if let Some(kid) = key.kid() {
            header["kid"] = kid.into();
        }
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.material()), message.as_bytes());
        Some(format!("{message}.{}", BASE64.encode(signature)))
    }
}

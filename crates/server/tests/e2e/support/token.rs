//! Connection tokens, signed as a backend would sign them.

use jsonwebtoken::{EncodingKey, Header};
use serde_json::Value;

use super::server::TOKEN_SECRET;

/// Signs these claims with the secret every scene's server trusts.
pub(crate) fn signed(claims: Value) -> String {
    signed_with(TOKEN_SECRET, claims)
}

/// Signs these claims with a secret.
pub(crate) fn signed_with(secret: &str, claims: Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).expect("HS256 signs anything")
}

/// Unix time in whole seconds, this many seconds from now.
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the clock is past 1970");
    since.as_secs() as i64 + seconds
}

//! JSON Web Tokens under a shared secret: HS256, HS384 and HS512.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::{Credentials, Grant};

use super::claims::{ConnectionClaims, Lifetime, Subject, SubscriptionClaim};

/// How far in the future `nbf` may lie, in seconds, before a token counts as not valid yet.
///
/// The clock of the backend that signs is not ours; RFC 7519, section 4.1.5, suggests a small leeway. There is none
/// for `exp`, because an expired token is replaced by the client at once and costs one round trip.
const NOT_BEFORE_LEEWAY_SECONDS: u64 = 60;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once: `exp` has passed. The client should fetch a new one.
    #[error("the token has expired")]
    Expired,
    /// It is not a token, is not signed with our key, or says what a token of its kind must not say.
    #[error("the token is malformed, not valid yet, or not signed with our key")]
    Invalid,
}

/// The secret that a backend and this server share, and the only algorithms that go with it.
///
/// The list of algorithms belongs to the key and not to the token, so `none`, or a public key used as a secret,
/// cannot be chosen by a stranger.
pub struct HmacKey {
    key: DecodingKey,
    validation: Validation,
}

impl HmacKey {
    /// The key with these bytes as its secret.
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        // The library would read the clock itself; times are checked below, against the time passed in.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self { key: DecodingKey::from_secret(secret), validation }
    }

    /// Who the bearer of a connection token is.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] also for a subscription token: it must not open a connection.
    pub fn connection(&self, now_unix: u64, token: &str) -> Result<Credentials, TokenError> {
        let claims = self.signed(token)?;
        let lifetime = in_force(&claims, now_unix)?;
        parse::<ConnectionClaims>(&claims)?.into_credentials(lifetime)
    }

    /// What a subscription token opens for this user in this channel: `Ok(None)` if it is a good token for somebody
    /// or something else.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] also for a token without a channel.
    pub fn subscription(
        &self,
        now_unix: u64,
        token: &str,
        channel: &str,
        user: &str,
    ) -> Result<Option<Grant>, TokenError> {
        let claims = self.signed(token)?;
        let lifetime = in_force(&claims, now_unix)?;
        if !parse::<Subject>(&claims)?.is(channel, user) {
            return Ok(None);
        }
        parse::<SubscriptionClaim>(&claims)?.into_grant(Some(lifetime)).map(Some)
    }

    /// The claims as they were signed. They stay text because each reader takes only the part that it knows.
    fn signed(&self, token: &str) -> Result<Box<RawValue>, TokenError> {
        let decoded = jsonwebtoken::decode::<Box<RawValue>>(token, &self.key, &self.validation);
        decoded.map(|token| token.claims).map_err(|_| TokenError::Invalid)
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(***)")
    }
}

fn parse<'a, T: Deserialize<'a>>(claims: &'a RawValue) -> Result<T, TokenError> {
    serde_json::from_str(claims.get()).map_err(|_| TokenError::Invalid)
}

fn in_force(claims: &RawValue, now_unix: u64) -> Result<Lifetime, TokenError> {
    let lifetime: Lifetime = parse(claims)?;
    if lifetime.exp.is_some_and(|exp| exp.0 <= now_unix) {
        return Err(TokenError::Expired);
    }
    if lifetime.nbf.is_some_and(|nbf| nbf.0 > now_unix.saturating_add(NOT_BEFORE_LEEWAY_SECONDS)) {
        return Err(TokenError::Invalid);
    }
    Ok(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    const NOW: u64 = 1_700_000_000;

    fn sign(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
    }

    fn connect(claims: Value) -> Result<Credentials, TokenError> {
        HmacKey::new(b"secret").connection(NOW, &sign(Algorithm::HS256, b"secret", &claims))
    }

    fn subscribe(claims: Value) -> Result<Option<Grant>, TokenError> {
        let token = sign(Algorithm::HS256, b"secret", &claims);
        HmacKey::new(b"secret").subscription(NOW, &token, "$room", "ann")
    }

    #[test]
    fn every_hmac_of_the_family_is_accepted_under_our_secret_and_no_other() {
        let key = HmacKey::new(b"secret");
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let ours = sign(algorithm, b"secret", &json!({"sub": "ann"}));
            assert_eq!(key.connection(NOW, &ours).unwrap().user, "ann", "{algorithm:?}");
            let theirs = sign(algorithm, b"guess", &json!({"sub": "ann"}));
            assert_eq!(key.connection(NOW, &theirs).unwrap_err(), TokenError::Invalid, "{algorithm:?}");
        }
    }

    #[test]
    fn a_token_cannot_choose_how_it_is_verified() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
        let good = sign(Algorithm::HS256, b"secret", &json!({"sub": "ann"}));
        let (_, claims, signature) = parts(&good);
        for algorithm in ["none", "None", "RS256", "ES256", "EdDSA", ""] {
            let header = BASE64.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
            for forged in [format!("{header}.{claims}."), format!("{header}.{claims}.{signature}")] {
                assert_eq!(
                    HmacKey::new(b"secret").connection(NOW, &forged).unwrap_err(),
                    TokenError::Invalid,
                    "{algorithm}"
                );
            }
        }
    }

    fn parts(token: &str) -> (&str, &str, &str) {
        let mut parts = token.split('.');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused() {
        let good = sign(Algorithm::HS256, b"secret", &json!({"sub": "ann"}));
        for at in 0..good.len() {
            let mut forged = good.clone().into_bytes();
            // Changing the case moves the base64 value by 26, which shows in every bit but the lowest.
            forged[at] = match forged[at] {
                b'.' => b'A',
                b'A'..=b'Z' => forged[at].to_ascii_lowercase(),
                b'a'..=b'z' => forged[at].to_ascii_uppercase(),
                _ => b'.',
            };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(
                HmacKey::new(b"secret").connection(NOW, &forged).unwrap_err(),
                TokenError::Invalid,
                "byte {at}"
            );
        }
    }

    #[test]
    fn times_are_judged_by_the_clock_passed_in() {
        let table = [
            (json!({}), Ok(None)),
            (json!({"exp": NOW + 1}), Ok(Some(NOW + 1))),
            (json!({"exp": NOW as f64 + 1.5}), Ok(Some(NOW + 1))),
            (json!({"exp": NOW}), Err(TokenError::Expired)),
            (json!({"exp": -1}), Err(TokenError::Expired)),
            (json!({"exp": "soon"}), Err(TokenError::Invalid)),
            (json!({"nbf": NOW + NOT_BEFORE_LEEWAY_SECONDS}), Ok(None)),
            (json!({"nbf": NOW + NOT_BEFORE_LEEWAY_SECONDS + 1}), Err(TokenError::Invalid)),
            (json!({"exp": NOW + 1, "expire_at": NOW + 9}), Ok(Some(NOW + 9))),
            (json!({"exp": NOW + 1, "expire_at": 0}), Ok(None)),
        ];
        for (claims, expected) in table {
            assert_eq!(connect(claims.clone()).map(|found| found.expire_at), expected, "{claims}");
        }
    }

    #[test]
    fn a_connection_token_says_who_it_is_and_where_it_is_subscribed() {
        let named = connect(json!({"sub": "ann", "info": {"name": "Ann"}, "channels": ["a", "b"]})).unwrap();
        assert_eq!((named.user.as_str(), &named.info[..]), ("ann", br#"{"name":"Ann"}"#.as_slice()));
        assert_eq!(named.channels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);

        let subs = json!({"a": {"data": 7, "override": {"presence": {"value": false}}}});
        let detailed = connect(json!({"subs": subs, "channels": ["ignored"], "b64info": "AAE="})).unwrap();
        let (name, grant) = &detailed.channels[0];
        assert_eq!((detailed.user.as_str(), &detailed.info[..]), ("", [0, 1].as_slice()));
        assert_eq!((name.as_str(), &grant.data[..], detailed.channels.len()), ("a", b"7".as_slice(), 1));
        assert_eq!((grant.options.presence, grant.options.join_leave), (Some(false), None));
    }

    #[test]
    fn claims_of_the_wrong_shape_are_refused() {
        let table = [
            json!({"channel": "$room"}),
            json!({"sub": 42}),
            json!({"channels": "a"}),
            json!({"b64info": "%%"}),
            json!({"subs": {"a": {"override": {"presence": true}}}}),
            json!("ann"),
            json!(null),
        ];
        for claims in table {
            assert_eq!(connect(claims.clone()).unwrap_err(), TokenError::Invalid, "{claims}");
        }
    }

    #[test]
    fn a_subscription_token_opens_its_channel_to_its_user_alone() {
        let grant = subscribe(json!({"sub": "ann", "channel": "$room", "info": 1, "exp": NOW + 5}));
        let grant = grant.unwrap().unwrap();
        assert_eq!((&grant.info[..], grant.expire_at), (b"1".as_slice(), Some(NOW + 5)));

        assert_eq!(subscribe(json!({"sub": "bob", "channel": "$room"})), Ok(None));
        assert_eq!(subscribe(json!({"channel": "$room"})), Ok(None));
        assert_eq!(subscribe(json!({"sub": "ann", "channel": "$other"})), Ok(None));
        assert_eq!(subscribe(json!({"sub": "ann", "channel": "$room", "client": "c1"})), Ok(None));
        assert_eq!(subscribe(json!({"sub": "ann"})), Err(TokenError::Invalid));
        assert_eq!(subscribe(json!({"sub": "bob", "channel": "$room", "exp": 1})), Err(TokenError::Expired));
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        assert_eq!(format!("{:?}", HmacKey::new(b"secret")), "HmacKey(***)");
    }
}

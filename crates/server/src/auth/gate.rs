//! The gate: who is let in by a token, and who without one.

use bytes::Bytes;
use serde_json::value::RawValue;
use spanwire_hub::channel::Channel;
use spanwire_hub::{Authenticate, Credentials, Grant, Refusal};
use spanwire_wire::{DisconnectCode, ErrorCode};

use super::{Authorize, ConnectionInfo, Jwks, TokenError, TokenPurpose, Verifier};
use crate::config::Settings;
use crate::profile::Profile;

/// Longest `data` of a connect command that becomes a connection's info, in bytes.
///
/// The info is kept for as long as the connection lives and is told with every join, so it is what somebody without
/// any credentials can make us keep.
const INFO_FROM_DATA_BYTES_MAX: usize = 4096;

/// What becomes of a client that shows no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// It is disconnected with code 3501.
    Refused,
    /// It is let in under the empty user id.
    Allowed,
    /// It is let in, and others are told what it says of itself: a JSON object in the `data` of its connect command
    /// becomes its info. Only for the dev profile, for nobody checks what it says.
    Introduced,
}

/// Decides by tokens, and by one rule for those who have none.
#[derive(Debug)]
pub struct Gate {
    /// Verifies connection tokens.
    pub connection: Verifier,
    /// Verifies subscription tokens, if they have keys and rules of their own.
    pub subscription: Option<Verifier>,
    /// What becomes of a client without a token.
    pub anonymous: Anonymous,
    /// Whether a valid token may leave the user empty.
    pub anonymous_tokens: bool,
}

impl Gate {
    /// The gate that these settings describe.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            connection: settings.client.tokens.clone(),
            subscription: settings.client.subscription_tokens.clone(),
            anonymous: match (settings.client.anonymous, settings.profile) {
                (false, _) => Anonymous::Refused,
                (true, Profile::Secure) => Anonymous::Allowed,
                (true, Profile::Dev) => Anonymous::Introduced,
            },
            anonymous_tokens: settings.client.anonymous_tokens,
        }
    }

    fn bearer(&self, now_unix: u64, token: &str) -> Result<Credentials, TokenError> {
        self.connection.connection(now_unix, token)
    }

    fn stranger(&self, data: &Bytes) -> Result<Credentials, Refusal> {
        match self.anonymous {
            Anonymous::Refused => Err(Refusal::Disconnect(DisconnectCode::BadRequest)),
            Anonymous::Allowed => Ok(Credentials::default()),
            Anonymous::Introduced => Ok(Credentials { info: introduction(data)?, ..Credentials::default() }),
        }
    }
}

impl Authorize for Gate {
    fn authenticate(
        &self,
        now_unix: u64,
        request: &Authenticate,
        _connection: &ConnectionInfo,
    ) -> Result<Credentials, Refusal> {
        if request.token.is_empty() {
            return self.stranger(&request.data);
        }
        match self.bearer(now_unix, &request.token) {
            Ok(found) if found.user.is_empty() && !self.anonymous_tokens => {
                Err(Refusal::Disconnect(DisconnectCode::PermissionDenied))
            }
            found => found.map_err(refusal),
        }
    }

    fn refresh(&self, now_unix: u64, token: &str) -> Result<Credentials, Refusal> {
        self.bearer(now_unix, token).map_err(refusal)
    }

    fn verify_subscription(
        &self,
        now_unix: u64,
        token: &str,
        channel: &Channel,
        user: &str,
    ) -> Result<Grant, Refusal> {
        let verifier = self.subscription.as_ref().unwrap_or(&self.connection);
        match verifier.subscription(now_unix, token, channel.as_str(), user) {
            Ok(Some(grant)) => Ok(grant),
            // Somebody shows a token that was made for another: that is no mistake to be tried again.
            Ok(None) => Err(Refusal::Disconnect(DisconnectCode::InvalidToken)),
            Err(TokenError::Expired) => Err(Refusal::Error(ErrorCode::TokenExpired)),
            Err(TokenError::Invalid) => Err(Refusal::Error(ErrorCode::PermissionDenied)),
            Err(TokenError::NoKeys) => Err(Refusal::Error(ErrorCode::Internal)),
        }
    }

    fn lacks_key_of(&self, now_unix: u64, token: &str, purpose: TokenPurpose) -> Option<&Jwks> {
        let verifier = match purpose {
            TokenPurpose::Connection => &self.connection,
            TokenPurpose::Subscription => self.subscription.as_ref().unwrap_or(&self.connection),
        };
        verifier.lacks_key_of(now_unix, token)
    }
}

/// Clients fetch a new token for one that has expired; with one that was never good, they are not to come back.
fn refusal(error: TokenError) -> Refusal {
    match error {
        TokenError::Expired => Refusal::Error(ErrorCode::TokenExpired),
        TokenError::Invalid => Refusal::Disconnect(DisconnectCode::InvalidToken),
        // That is no fault of the client's, and temporary: it tries again.
        TokenError::NoKeys => Refusal::Error(ErrorCode::Internal),
    }
}

/// What an anonymous client says of itself: a JSON object, or nothing.
fn introduction(data: &Bytes) -> Result<Bytes, Refusal> {
    if data.len() > INFO_FROM_DATA_BYTES_MAX {
        return Err(Refusal::Error(ErrorCode::LimitExceeded));
    }
    let is_object =
        serde_json::from_slice::<&RawValue>(data).is_ok_and(|json| json.get().trim_start().starts_with('{'));
    Ok(if is_object { data.clone() } else { Bytes::new() })
}

#[cfg(test)]
mod claims;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Key, Rules};
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};
    use spanwire_hub::SessionId;

    pub(super) const NOW: u64 = 1_700_000_000;
    pub(super) const PEER: ConnectionInfo = ConnectionInfo {
        client: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9),
        headers: None,
    };

    fn secret(secret: &[u8]) -> Verifier {
        Verifier::new(vec![Key::secret(secret)], Rules::default())
    }

    fn gate(anonymous: Anonymous) -> Gate {
        Gate {
            connection: secret(b"connect"),
            subscription: Some(secret(b"subscribe")),
            anonymous,
            anonymous_tokens: true,
        }
    }

    pub(super) fn sign(secret: &[u8], claims: &Value) -> String {
        jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(secret)).unwrap()
    }

    pub(super) fn ask(token: &str, data: &[u8]) -> Authenticate {
        Authenticate {
            session: SessionId { index: 0, generation: 0 },
            token: token.to_owned(),
            data: Bytes::copy_from_slice(data),
            name: String::new(),
            version: String::new(),
            client: String::new(),
            encoding: spanwire_wire::Encoding::Json,
            channels: Vec::new(),
            headers: Default::default(),
        }
    }

    #[test]
    fn a_client_without_token_is_let_in_only_where_that_is_said() {
        let table = [
            (Anonymous::Refused, Err(Refusal::Disconnect(DisconnectCode::BadRequest))),
            (Anonymous::Allowed, Ok((String::new(), Bytes::new()))),
            (Anonymous::Introduced, Ok((String::new(), Bytes::from_static(br#"{"name":"Ann"}"#)))),
        ];
        for (anonymous, expected) in table {
            let found = gate(anonymous).authenticate(NOW, &ask("", br#"{"name":"Ann"}"#), &PEER);
            assert_eq!(found.map(|found| (found.user, found.info)), expected, "{anonymous:?}");
        }
    }

    #[test]
    fn an_introduction_is_a_small_json_object_or_nothing() {
        let long = format!("{{\"name\":\"{}\"}}", "x".repeat(INFO_FROM_DATA_BYTES_MAX));
        let too_long = Err(Refusal::Error(ErrorCode::LimitExceeded));
        let table = [
            (b"".as_slice(), Ok(b"".as_slice())),
            (b"{}", Ok(b"{}")),
            (b" {\"a\":1}", Ok(b" {\"a\":1}")),
            (b"\"Ann\"", Ok(b"")),
            (b"[1]", Ok(b"")),
            (b"{\xff}", Ok(b"")),
            (long.as_bytes(), too_long),
        ];
        for (data, expected) in table {
            let found = introduction(&Bytes::copy_from_slice(data));
            assert_eq!(found.as_deref().map_err(Clone::clone), expected);
        }
    }

    #[test]
    fn a_token_is_never_ignored_in_favour_of_anonymity() {
        let expired = sign(b"connect", &json!({"sub": "ann", "exp": NOW - 1}));
        let table = [
            (expired, Refusal::Error(ErrorCode::TokenExpired)),
            (sign(b"guess", &json!({"sub": "ann"})), Refusal::Disconnect(DisconnectCode::InvalidToken)),
            ("garbage".to_owned(), Refusal::Disconnect(DisconnectCode::InvalidToken)),
        ];
        for (token, expected) in table {
            let found = gate(Anonymous::Allowed).authenticate(NOW, &ask(&token, b""), &PEER);
            assert_eq!(found.unwrap_err(), expected, "{token}");
        }
    }

    #[test]
    fn without_a_key_every_token_is_invalid() {
        let gate = Gate { connection: Verifier::default(), subscription: None, ..gate(Anonymous::Allowed) };
        let token = sign(b"", &json!({"sub": "ann", "channel": "$room"}));
        let invalid = Refusal::Disconnect(DisconnectCode::InvalidToken);
        assert_eq!(gate.authenticate(NOW, &ask(&token, b""), &PEER).unwrap_err(), invalid);
        assert_eq!(gate.refresh(NOW, &token).unwrap_err(), invalid);
        assert_eq!(
            gate.verify_subscription(NOW, &token, &Channel::new("$room"), "ann").unwrap_err(),
            Refusal::Error(ErrorCode::PermissionDenied)
        );
    }

    #[test]
    fn a_token_without_user_is_let_in_unless_that_is_forbidden() {
        let token = sign(b"connect", &json!({}));
        let strict = Gate { anonymous_tokens: false, ..gate(Anonymous::Refused) };
        assert!(gate(Anonymous::Refused).authenticate(NOW, &ask(&token, b""), &PEER).is_ok());
        assert_eq!(
            strict.authenticate(NOW, &ask(&token, b""), &PEER).unwrap_err(),
            Refusal::Disconnect(DisconnectCode::PermissionDenied)
        );
    }

    #[test]
    fn a_refresh_is_refused_for_the_same_reasons_as_a_connection() {
        let gate = gate(Anonymous::Allowed);
        let fresh = sign(b"connect", &json!({"sub": "ann", "exp": NOW + 60}));
        let stale = sign(b"connect", &json!({"sub": "ann", "exp": NOW}));
        assert_eq!(gate.refresh(NOW, &fresh).unwrap().expire_at, Some(NOW + 60));
        assert_eq!(gate.refresh(NOW, &stale).unwrap_err(), Refusal::Error(ErrorCode::TokenExpired));
        let invalid = Refusal::Disconnect(DisconnectCode::InvalidToken);
        assert_eq!(gate.refresh(NOW, "garbage").unwrap_err(), invalid);
    }

    #[test]
    fn a_subscription_token_is_refused_according_to_what_is_wrong_with_it() {
        let room = |claims: Value| {
            let token = sign(b"subscribe", &claims);
            gate(Anonymous::Refused).verify_subscription(NOW, &token, &Channel::new("$room"), "ann").err()
        };
        assert_eq!(room(json!({"sub": "ann", "channel": "$room"})), None);
        let expired = room(json!({"sub": "ann", "channel": "$room", "exp": NOW}));
        assert_eq!(expired, Some(Refusal::Error(ErrorCode::TokenExpired)));
        let other = room(json!({"sub": "bob", "channel": "$room"}));
        assert_eq!(other, Some(Refusal::Disconnect(DisconnectCode::InvalidToken)));

        let unsigned = sign(b"connect", &json!({"sub": "ann", "channel": "$room"}));
        let forged =
            gate(Anonymous::Refused).verify_subscription(NOW, &unsigned, &Channel::new("$room"), "ann");
        assert_eq!(forged, Err(Refusal::Error(ErrorCode::PermissionDenied)));
    }
}

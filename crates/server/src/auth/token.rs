//! JSON Web Tokens (RFC 7519): who signed one, whether it is good now, and what it says.

mod algorithm;
mod examine;
mod jwk;
mod jwks;
mod jws;
mod key;
mod mint;
mod pem;
mod published;
mod rules;
mod template;

pub use examine::Step;
pub use jwks::{FetchCounts, Jwks};
pub use key::Key;
pub use pem::PemError;
pub use published::Published;
pub use rules::{Expected, Rules};
pub use template::{Template, TemplateError};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use spanwire_hub::{Credentials, Grant};

use self::jws::Jws;
use super::claims::{ConnectionClaims, Lifetime, Marks, Subject, SubscriptionClaim};

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once: `exp` has passed. The client should fetch a new one.
    #[error("the token has expired")]
    Expired,
    /// It is not a token, is not signed with a key of ours, or says what a token of its kind must not say.
    #[error("the token is malformed, not valid yet, not for this server, or not signed with a key of ours")]
    Invalid,
    /// The keys that tokens are signed with cannot be had now.
    #[error("the keys that tokens are signed with cannot be fetched")]
    NoKeys,
}

/// Verifies tokens of one kind: by its keys, of which one must have signed, and by its rules.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    keys: Arc<[Key]>,
    /// Where keys are published; they are used instead of the others.
    published: Option<Published>,
    rules: Rules,
}

impl Verifier {
    /// A verifier that trusts these keys. Without any, every token is invalid.
    pub fn new(keys: Vec<Key>, rules: Rules) -> Self {
        Self { keys: keys.into(), published: None, rules }
    }

    /// The same, but trusting the keys that are published somewhere, and no others.
    #[must_use]
    pub fn trusting(self, published: Published) -> Self {
        Self { published: Some(published), ..self }
    }

    /// Where keys are published that it trusts.
    pub(crate) fn places(&self) -> impl Iterator<Item = Jwks> {
        self.published.iter().flat_map(Published::places).cloned()
    }

    /// Takes over what a verifier before this one has fetched, if that is published at the same place: what is known
    /// goes on holding while something else of the configuration changes.
    pub(crate) fn inherit(&mut self, before: &Self) {
        if let (Some(published), Some(before)) = (&mut self.published, &before.published) {
            published.inherit(before);
        }
    }

    /// The keys to be fetched before this token is judged: its own is not known, and may be by now.
    pub fn lacks_key_of(&self, now_unix: u64, token: &str) -> Option<&Jwks> {
        let published = self.published.as_ref()?;
        let jws = Jws::parse(token)?;
        published.place(&jws).filter(|jwks| jwks.lacks(&jws, now_unix))
    }

    /// Whether nobody can have a good token.
    pub fn trusts_nobody(&self) -> bool {
        self.keys.is_empty() && self.published.is_none()
    }

    /// How long the shortest of its secrets is, in bytes.
    pub fn shortest_secret(&self) -> Option<usize> {
        self.keys.iter().filter_map(Key::secret_bytes).min()
    }

    /// Who the bearer of a connection token is.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] also for a subscription token: it must not open a connection.
    pub fn connection(&self, now_unix: u64, token: &str) -> Result<Credentials, TokenError> {
        let (claims, lifetime) = self.verified(now_unix, token)?;
        let user = self.user(&claims)?;
        let token = Some(parse::<Marks>(&claims)?.into_mark());
        let credentials = parse::<ConnectionClaims>(&claims)?.into_credentials(user, lifetime)?;
        Ok(Credentials { token, ..credentials })
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
        let (claims, lifetime) = self.verified(now_unix, token)?;
        let subject: Subject = parse(&claims)?;
        if self.user(&claims)? != user || !subject.is(channel) {
            return Ok(None);
        }
        let token = Some(parse::<Marks>(&claims)?.into_mark());
        let grant = parse::<SubscriptionClaim>(&claims)?.into_grant(channel, Some(lifetime))?;
        Ok(Some(Grant { token, ..grant }))
    }

    /// The claims as they were signed. They stay text because each reader takes only the part that it knows.
    fn verified(&self, now_unix: u64, token: &str) -> Result<(Box<RawValue>, Lifetime), TokenError> {
        let jws = Jws::parse(token).ok_or(TokenError::Invalid)?;
        if !self.has_signed(&jws, now_unix) {
            let place = self.published.as_ref().and_then(|published| published.place(&jws));
            let is_known = place.is_none_or(Jwks::is_known);
            return Err(if is_known { TokenError::Invalid } else { TokenError::NoKeys });
        }
        let claims = jws.claims().ok_or(TokenError::Invalid)?;
        let lifetime = self.rules.check(&claims, now_unix)?;
        Ok((claims, lifetime))
    }

    fn has_signed(&self, jws: &Jws<'_>, now_unix: u64) -> bool {
        self.keys_for(jws).iter().any(|key| key.has_signed(jws, now_unix))
    }

    /// The keys of which one must have signed this token.
    fn keys_for(&self, jws: &Jws<'_>) -> Arc<[Key]> {
        match &self.published {
            Some(published) => published.place(jws).map(Jwks::keys).unwrap_or_default(),
            None => self.keys.clone(),
        }
    }

    /// Whom the token is about; empty if it does not say.
    fn user(&self, claims: &RawValue) -> Result<String, TokenError> {
        text_claim(claims, self.rules.user_claim.as_deref().unwrap_or("sub"))
    }
}

fn parse<'a, T: Deserialize<'a>>(claims: &'a RawValue) -> Result<T, TokenError> {
    serde_json::from_str(claims.get()).map_err(|_| TokenError::Invalid)
}

/// A claim that is a text; empty if it is not there.
fn text_claim(claims: &RawValue, name: &str) -> Result<String, TokenError> {
    let all: BTreeMap<Cow<'_, str>, &RawValue> = parse(claims)?;
    let text = all.get(name).map(|claim| parse::<Option<String>>(claim)).transpose()?;
    Ok(text.flatten().unwrap_or_default())
}

#[cfg(test)]
mod tests;

//! What a token must say besides its signature: for whom it is, who made it, and when it is good.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::TokenError;
use crate::auth::claims::Lifetime;

/// How far in the future `nbf` may lie, in seconds, before a token counts as not valid yet, unless the configured leeway
/// is longer.
///
/// The clock of the backend that signs is not ours; RFC 7519, section 4.1.5, suggests a small leeway. There is none for
/// `exp` unless it is configured, because an expired token is replaced by the client at once and costs one round trip.
const NOT_BEFORE_LEEWAY_SECONDS: u64 = 60;

/// Rules for all tokens of one verifier. The default demands nothing.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Whom one of the token's `aud` must be.
    pub audience: Option<Expected>,
    /// Who its `iss` must be.
    pub issuer: Option<Expected>,
    /// The claim that names the user, if it is not `sub`.
    pub user_claim: Option<String>,
    /// How far our clock may be from that of the backend, in seconds.
    pub leeway_seconds: u64,
}

/// What a claim must be.
#[derive(Clone, Debug)]
pub enum Expected {
    /// This text.
    Exactly(String),
    /// A text that this expression finds something in; it says by itself where it is anchored.
    Matching(regex_lite::Regex),
}

/// The registered claims that rules are about (RFC 7519 sections 4.1.1 and 4.1.3).
#[derive(Deserialize)]
pub(super) struct Registered {
    iss: Option<String>,
    aud: Option<Audience>,
}

/// One audience may stand there without a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Registered {
    pub(super) fn issuer(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    pub(super) fn audiences(&self) -> impl Iterator<Item = &str> {
        let all = match &self.aud {
            None => &[],
            Some(Audience::One(said)) => std::slice::from_ref(said),
            Some(Audience::Several(all)) => all.as_slice(),
        };
        all.iter().map(String::as_str)
    }
}

impl Expected {
    /// The same, but an expression must match a claim as a whole.
    ///
    /// # Errors
    /// The expression is none any more, as one that ends in a comment.
    pub(crate) fn whole(self) -> Result<Self, regex_lite::Error> {
        match self {
            Self::Exactly(text) => Ok(Self::Exactly(text)),
            Self::Matching(pattern) => {
                regex_lite::Regex::new(&format!("^(?:{})$", pattern.as_str())).map(Self::Matching)
            }
        }
    }

    /// The expression, if it is one.
    pub(crate) fn pattern(&self) -> Option<&regex_lite::Regex> {
        match self {
            Self::Exactly(_) => None,
            Self::Matching(pattern) => Some(pattern),
        }
    }

    fn accepts(&self, said: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == said,
            Self::Matching(pattern) => pattern.is_match(said),
        }
    }
}

impl Rules {
    /// Checks everything but the signature; what comes back is how long the token holds.
    pub(super) fn check(&self, claims: &RawValue, now_unix: u64) -> Result<Lifetime, TokenError> {
        let registered: Registered = super::parse(claims)?;
        let is_ours = self
            .issuer
            .as_ref()
            .is_none_or(|expected| registered.issuer().is_some_and(|issuer| expected.accepts(issuer)));
        let is_for_us = self
            .audience
            .as_ref()
            .is_none_or(|expected| registered.audiences().any(|said| expected.accepts(said)));
        if !is_ours || !is_for_us {
            return Err(TokenError::Invalid);
        }
        self.in_force(super::parse(claims)?, now_unix)
    }

    fn in_force(&self, lifetime: Lifetime, now_unix: u64) -> Result<Lifetime, TokenError> {
        if lifetime.exp.is_some_and(|exp| exp.0.saturating_add(self.leeway_seconds) <= now_unix) {
            return Err(TokenError::Expired);
        }
        let leeway = self.leeway_seconds.max(NOT_BEFORE_LEEWAY_SECONDS);
        if lifetime.nbf.is_some_and(|nbf| nbf.0 > now_unix.saturating_add(leeway)) {
            return Err(TokenError::Invalid);
        }
        Ok(lifetime)
    }
}

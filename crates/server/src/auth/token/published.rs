//! Where keys are published, and which of them may have signed a token.

use super::jws::Jws;
use super::{Jwks, Template};

/// The keys that somebody publishes.
#[derive(Clone, Debug)]
pub enum Published {
    /// At one URL, for all tokens.
    At(Jwks),
    /// At one of several URLs, which the claims of the token choose.
    ByClaims(Template),
}

impl Published {
    /// Where the key of this token is, if anywhere: no claim is verified before its signature is.
    pub(super) fn place(&self, jws: &Jws<'_>) -> Option<&Jwks> {
        match self {
            Self::At(jwks) => Some(jwks),
            Self::ByClaims(template) => template.place(&jws.claims()?),
        }
    }

    /// All places.
    pub(super) fn places(&self) -> Vec<&Jwks> {
        match self {
            Self::At(jwks) => vec![jwks],
            Self::ByClaims(template) => template.places().collect(),
        }
    }

    /// Takes over what was fetched from the same places.
    pub(super) fn inherit(&mut self, before: &Self) {
        let known = before.places();
        let places = match self {
            Self::At(jwks) => vec![jwks],
            Self::ByClaims(template) => template.places_mut().collect(),
        };
        for place in places {
            if let Some(known) = known.iter().find(|known| known.url() == place.url()) {
                *place = (*known).clone();
            }
        }
    }
}

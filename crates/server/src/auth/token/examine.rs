//! Why a token is accepted or not, step by step, for those who ask: never for a stranger.

use serde_json::value::RawValue;

use super::jws::Jws;
use super::{TokenError, Verifier};
use crate::auth::claims::Lifetime;

/// One step of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is looked at.
    pub what: &'static str,
    /// Whether it is all right; what follows a step that is not was not looked at.
    pub is_fine: bool,
    /// What was found.
    pub found: String,
}

impl Verifier {
    /// The steps of verifying a token: its form, its algorithm, its key, its rules and its times. The last one is not
    /// fine if the token is refused. The claims follow if somebody of ours has signed them.
    pub fn examine(&self, now_unix: u64, token: &str) -> (Vec<Step>, Option<Box<RawValue>>) {
        let mut steps = Vec::new();
        let claims = self.examine_into(&mut steps, now_unix, token);
        (steps, claims)
    }

    fn examine_into(&self, steps: &mut Vec<Step>, now_unix: u64, token: &str) -> Option<Box<RawValue>> {
        let mut note = |what, is_fine, found: String| {
            steps.push(Step { what, is_fine, found });
            is_fine.then_some(())
        };
        let Some(jws) = Jws::parse(token) else {
            note(
                "form",
                false,
                "not three parts in base64url with a header that names a known algorithm".to_owned(),
            );
            return None;
        };
        note("form", true, format!("{} bytes, three parts", token.len()));
        let family = jws.algorithm.family();
        let keys = self.keys_for(&jws);
        let fitting = keys.iter().filter(|key| key.family() == family).count();
        let named = jws.kid.as_ref().map(|kid| format!(", key {kid:?}")).unwrap_or_default();
        let keys = match fitting {
            0 => format!("{}{named}; no key of this kind is configured", jws.algorithm.name()),
            count => format!("{}{named}; keys of this kind: {count}", jws.algorithm.name()),
        };
        note("algorithm", fitting > 0, keys)?;
        let signed = self.has_signed(&jws, now_unix);
        let signature = if signed { "made with a key of ours" } else { "not made with a key of ours" };
        note("signature", signed, signature.to_owned())?;
        let Some(claims) = jws.claims() else {
            note("claims", false, "not JSON".to_owned());
            return None;
        };
        match self.rules.check(&claims, now_unix) {
            Ok(lifetime) => note("times and rules", true, lasting(lifetime, now_unix)),
            Err(error @ (TokenError::Expired | TokenError::NoKeys)) => {
                note("times and rules", false, error.to_string())
            }
            Err(TokenError::Invalid) => {
                let found =
                    "nbf is to come, iss or aud is not the expected one, or a claim is of the wrong kind";
                note("times and rules", false, found.to_owned())
            }
        };
        Some(claims)
    }
}

fn lasting(lifetime: Lifetime, now_unix: u64) -> String {
    match lifetime.exp {
        Some(exp) => format!("good for {} s more", exp.0.saturating_sub(now_unix)),
        None => "without an end".to_owned(),
    }
}

//! How tokens are verified: the options of `client.token`, and of `client.subscription_token`.

use std::time::Duration;

use http::Uri;
use regex_lite::Regex;

use super::reader::Reader;
use crate::auth::{Expected, Jwks, Key, PemError, Published, Rules, Template, Verifier};
use crate::http_client::Service;

/// The longest leeway: with more, clocks are not wrong but broken.
const LEEWAY_MAX: Duration = Duration::from_secs(3600);
/// The last second that can be written as a date of four digits.
const UNIX_SECONDS_MAX: usize = 253_402_300_799;

/// Reads the keys and rules of one kind of token; `None` if no key is given.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Verifier> {
    let mut keys: Vec<Key> = secrets(reader);
    keys.extend(public_keys(reader));
    keys.extend(
        reader
            .tables(
                "keys",
                "more keys, each with a secret or a public_key",
                |number, table| match table.get("kid").and_then(|kid| kid.as_str()) {
                    Some(kid) => kid.to_owned(),
                    None => number.to_string(),
                },
                listed,
            )
            .into_iter()
            .flatten(),
    );
    let mut rules = rules(reader);
    let published = published(reader, &mut rules);
    if published.is_some() && !keys.is_empty() {
        reader.conflict("jwks_public_endpoint", "keys from there are used alone: take the other keys out");
    }
    match published {
        Some(published) => Some(Verifier::new(Vec::new(), rules).trusting(published)),
        None => (!keys.is_empty()).then(|| Verifier::new(keys, rules)),
    }
}

fn secrets(reader: &mut Reader<'_>) -> Vec<Key> {
    let key = reader.secretly("hmac_secret_key", "the secret that signs tokens", secret);
    let previous =
        reader.secretly("hmac_previous_secret_key", "the secret that signed tokens before", secret);
    let until = moment(
        reader,
        "hmac_previous_secret_key_valid_until",
        "until when the previous secret holds, in Unix seconds; 0 is without an end",
    );
    [key, previous.map(|key| key.until(until))].into_iter().flatten().collect()
}

fn public_keys(reader: &mut Reader<'_>) -> Vec<Key> {
    let rsa = reader.secretly("rsa_public_key", "the RSA key that tokens are signed with, in PEM", public);
    let ecdsa = reader.secretly(
        "ecdsa_public_key",
        "the P-256, P-384 or P-521 key that tokens are signed with, in PEM",
        public,
    );
    let ed25519 =
        reader.secretly("ed25519_public_key", "the Ed25519 key that tokens are signed with, in PEM", public);
    [rsa, ecdsa, ed25519].into_iter().flatten().collect()
}

fn published(reader: &mut Reader<'_>, rules: &mut Rules) -> Option<Published> {
    let key = "jwks_public_endpoint";
    // It may hold a password.
    let url = reader.secretly(
        key,
        "the http:// or https:// URL where the keys are published that tokens are signed with, and no others are used then; {{name}} in it stands for what \
         a group of issuer_regex or audience_regex has matched",
        place_of_keys,
    );
    match url? {
        PlaceOfKeys::Fixed(url) => Some(Published::At(Jwks::at(url))),
        PlaceOfKeys::ByClaims(text) => {
            let template = template(&text, rules);
            template.map_err(|trouble| reader.conflict(key, &trouble)).ok().map(Published::ByClaims)
        }
    }
}

/// Where keys are published.
enum PlaceOfKeys {
    Fixed(Uri),
    /// A template, which claims fill.
    ByClaims(String),
}

fn place_of_keys(text: &str) -> Result<PlaceOfKeys, &'static str> {
    if Template::is_one(text) {
        return Ok(PlaceOfKeys::ByClaims(text.to_owned()));
    }
    let url = text.parse().ok().filter(Service::is_at);
    url.map(PlaceOfKeys::Fixed).ok_or("an http:// or https:// URL is wanted")
}

/// A part of a claim decides who verifies it, so the expressions must match the whole.
fn template(url: &str, rules: &mut Rules) -> Result<Template, String> {
    for expected in [&mut rules.issuer, &mut rules.audience] {
        *expected = expected.take().map(Expected::whole).transpose().map_err(|error| error.to_string())?;
    }
    let [issuer, audience] =
        [&rules.issuer, &rules.audience].map(|expected| expected.as_ref().and_then(Expected::pattern));
    Template::new(url, issuer, audience).map_err(|error| error.to_string())
}

/// One key of a list.
fn listed(reader: &mut Reader<'_>) -> Option<Key> {
    let kid = reader.text("kid", "the name by which tokens say that they are signed with it", "");
    let secret = reader.secretly("secret", "a secret that is shared with who signs", secret);
    let public = reader.secretly("public_key", "the public key of who signs, in PEM", public);
    let until =
        moment(reader, "valid_until", "until when the key holds, in Unix seconds; 0 is without an end");
    let algorithm = reader.text("algorithm", "the one algorithm that the key is for, such as ES256", "");
    let ((Some(key), None) | (None, Some(key))) = (secret, public) else {
        reader.conflict("kid", "a key has either a secret or a public_key");
        return None;
    };
    let key = if algorithm.is_empty() { Some(key) } else { key.only(&algorithm) };
    let Some(key) = key else {
        reader.conflict("algorithm", "is none that this kind of key is for");
        return None;
    };
    Some(key.named((!kid.is_empty()).then_some(kid)).until(until))
}

fn moment(reader: &mut Reader<'_>, key: &'static str, doc: &'static str) -> Option<u64> {
    Some(reader.count(key, doc, 0, 0..=UNIX_SECONDS_MAX) as u64).filter(|until| *until != 0)
}

fn rules(reader: &mut Reader<'_>) -> Rules {
    let user_claim = reader.text("user_id_claim", "the claim that names the user, if it is not sub", "");
    let leeway = reader.duration(
        "leeway",
        "how far the clock of who signs may be from ours",
        Duration::ZERO,
        Duration::ZERO..=LEEWAY_MAX,
    );
    Rules {
        audience: expected(
            reader,
            "audience",
            "what the aud claim must hold",
            "audience_regex",
            "what the aud claim must match",
        ),
        issuer: expected(
            reader,
            "issuer",
            "what the iss claim must be",
            "issuer_regex",
            "what the iss claim must match",
        ),
        user_claim: (!user_claim.is_empty()).then_some(user_claim),
        leeway_seconds: leeway.as_secs(),
    }
}

fn expected(
    reader: &mut Reader<'_>,
    key: &'static str,
    doc: &'static str,
    key_of_pattern: &'static str,
    doc_of_pattern: &'static str,
) -> Option<Expected> {
    let text = reader.text(key, doc, "");
    let pattern = |value: &serde_json::Value| match value.as_str()? {
        "" => Some(None),
        text => Regex::new(text).ok().map(Some),
    };
    let pattern = reader.read(key_of_pattern, doc_of_pattern, "a regular expression", pattern).flatten();
    if !text.is_empty() && pattern.is_some() {
        reader.conflict(key_of_pattern, &format!("{key} is set as well: one of them decides"));
    }
    let exactly = (!text.is_empty()).then_some(Expected::Exactly(text));
    exactly.or(pattern.map(Expected::Matching))
}

fn secret(text: &str) -> Result<Key, std::convert::Infallible> {
    Ok(Key::secret(text.as_bytes()))
}

fn public(text: &str) -> Result<Key, PemError> {
    Key::from_pem(text)
}

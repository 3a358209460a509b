//! A URL of published keys with names in it, which the claims of a token fill: one publisher for each of several
//! tenants, as `https://login.example.org/{{tenant}}/keys`.
//!
//! Whoever makes up a token chooses what it claims, and nothing of that is verified yet. So each name stands for a closed
//! list of words. All URLs are known before the first token comes; a token chooses one of them, or none.

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};
use serde_json::value::RawValue;

use super::Jwks;
use super::rules::Registered;
use crate::http_client::Service;

/// Most URLs that one template may stand for: as many sets of keys may be in memory.
const URLS_MAX: usize = 100;

/// URLs that differ in a few words.
#[derive(Clone, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    issuer: Option<Regex>,
    audience: Option<Regex>,
    /// Every URL that the words make.
    places: BTreeMap<String, Jwks>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    /// The name of a group of one of the expressions.
    Name(String),
}

/// Why a template is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` without its `}}`.
    #[error("has {{{{ without }}}} behind it")]
    Unclosed,
    /// Nothing gives this name a word.
    #[error("{{{{{0}}}}} is no named group of issuer_regex or audience_regex, such as (?P<{0}>one|two)")]
    Unknown(String),
    /// Two claims could give it different words.
    #[error("{{{{{0}}}}} is a group of issuer_regex and of audience_regex: rename one of them")]
    Twofold(String),
    /// The group lets words through that nobody has listed.
    #[error(
        "the group {0} must list its words, as (?P<{0}>one|two) does: a token that nobody has verified chooses among what \
         the group lets through, and so could choose who verifies it"
    )]
    Open(String),
    /// There are more than 100 URLs.
    #[error("the words of its groups make more than {URLS_MAX} URLs")]
    TooMany,
    /// What the words make of it is none. It is not repeated: it may hold a password.
    #[error("with the words of its groups it is no http:// or https:// URL")]
    NoUrl,
}

impl Template {
    /// Whether there are names in this URL.
    pub fn is_one(url: &str) -> bool {
        url.contains("{{")
    }

    /// The template that is filled by named groups of these expressions, which must match claims as a whole.
    ///
    /// # Errors
    /// A name that is no group, a group that lets anything through, or what is no URL.
    pub fn new(url: &str, issuer: Option<&Regex>, audience: Option<&Regex>) -> Result<Self, TemplateError> {
        let pieces = pieces(url)?;
        let mut urls = vec![String::new()];
        for piece in &pieces {
            let words = match piece {
                Piece::Text(text) => vec![text.clone()],
                Piece::Name(name) => words(name, issuer, audience)?,
            };
            urls = urls.iter().flat_map(|url| words.iter().map(move |word| format!("{url}{word}"))).collect();
            if urls.len() > URLS_MAX {
                return Err(TemplateError::TooMany);
            }
        }
        let place = |url: String| match url.parse().ok().filter(Service::is_at) {
            Some(uri) => Ok((url, Jwks::at(uri))),
            None => Err(TemplateError::NoUrl),
        };
        let places = urls.into_iter().map(place).collect::<Result<_, _>>()?;
        Ok(Self { pieces, issuer: issuer.cloned(), audience: audience.cloned(), places })
    }

    /// All places at which there are keys.
    pub(super) fn places(&self) -> impl Iterator<Item = &Jwks> {
        self.places.values()
    }

    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = &mut Jwks> {
        self.places.values_mut()
    }

    /// Where the key is published that has signed a token with these claims, if they are true.
    pub(super) fn place(&self, claims: &RawValue) -> Option<&Jwks> {
        let said: Registered = super::parse(claims).ok()?;
        let issuer = self.issuer.as_ref().zip(said.issuer()).and_then(|(regex, said)| regex.captures(said));
        let audience =
            self.audience.as_ref().and_then(|regex| said.audiences().find_map(|said| regex.captures(said)));
        let word = |captures: &Option<Captures<'_>>, name: &str| {
            captures.as_ref()?.name(name).map(|found| found.as_str().to_owned())
        };
        let mut url = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => url.push_str(text),
                Piece::Name(name) => url.push_str(&word(&issuer, name).or_else(|| word(&audience, name))?),
            }
        }
        self.places.get(&url)
    }
}

fn pieces(url: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut parts = url.split("{{");
    let mut pieces = vec![Piece::Text(parts.next().unwrap_or_default().to_owned())];
    for part in parts {
        let (name, text) = part.split_once("}}").ok_or(TemplateError::Unclosed)?;
        pieces.extend([Piece::Name(name.trim().to_owned()), Piece::Text(text.to_owned())]);
    }
    Ok(pieces)
}

/// The words that a named group lists.
fn words(name: &str, issuer: Option<&Regex>, audience: Option<&Regex>) -> Result<Vec<String>, TemplateError> {
    let has_it = |regex: &&Regex| regex.capture_names().flatten().any(|group| group == name);
    let regex = match (issuer.filter(has_it), audience.filter(has_it)) {
        (Some(_), Some(_)) => return Err(TemplateError::Twofold(name.to_owned())),
        (Some(regex), None) | (None, Some(regex)) => regex,
        (None, None) => return Err(TemplateError::Unknown(name.to_owned())),
    };
    listed(regex.as_str(), name).ok_or_else(|| TemplateError::Open(name.to_owned()))
}

/// The words of a group that is nothing but a list of them. What else an expression may say in other ways is not worth
/// following: the list decides which URLs there are, whatever the group matches.
fn listed(expression: &str, name: &str) -> Option<Vec<String>> {
    let opening = |begin: &str| expression.split_once(&format!("{begin}{name}>")).map(|(_, rest)| rest);
    let rest = opening("(?P<").or_else(|| opening("(?<"))?;
    let (list, _) = rest.split_once(')')?;
    list.split('|').map(word).collect()
}

/// A word that means itself and nothing else, in an expression and in a URL.
fn word(text: &str) -> Option<String> {
    let word = text.replace("\\.", ".").replace("\\-", "-");
    let dots = (word.matches('.').count(), text.matches("\\.").count());
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let means_a_step = word.bytes().all(|byte| byte == b'.');
    (!word.is_empty() && is_plain && dots.0 == dots.1 && !means_a_step).then_some(word)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn regex(expression: &str) -> Option<Regex> {
        (!expression.is_empty()).then(|| Regex::new(expression).unwrap())
    }

    fn template(url: &str, issuer: &str, audience: &str) -> Result<Template, TemplateError> {
        Template::new(url, regex(issuer).as_ref(), regex(audience).as_ref())
    }

    fn chosen(template: &Template, claims: Value) -> Option<String> {
        let claims = serde_json::value::to_raw_value(&claims).unwrap();
        template.place(&claims).map(|jwks| jwks.url().to_string())
    }

    #[test]
    fn a_claim_chooses_one_of_the_urls_that_were_known_before() {
        let both = template(
            "https://keys.test/{{tenant}}/{{ app }}.json",
            "^https://(?P<tenant>red|blue\\.eu)\\.test$",
            "^(?<app>web|phone)$",
        )
        .unwrap();
        assert_eq!(both.places().count(), 4);
        let table = [
            (json!({"iss": "https://red.test", "aud": "web"}), Some("https://keys.test/red/web.json")),
            (
                json!({"iss": "https://blue.eu.test", "aud": ["x", "phone"]}),
                Some("https://keys.test/blue.eu/phone.json"),
            ),
            (json!({"iss": "https://green.test", "aud": "web"}), None),
            (json!({"iss": "https://blueXeu.test", "aud": "web"}), None),
            (json!({"iss": "https://red.test"}), None),
            (json!({"aud": "web"}), None),
            (json!({"iss": 7, "aud": "web"}), None),
        ];
        for (claims, expected) in table {
            assert_eq!(chosen(&both, claims.clone()).as_deref(), expected, "{claims}");
        }
    }

    #[test]
    fn a_word_that_is_not_listed_chooses_nothing_however_the_group_came_to_match_it() {
        let whatever_case = template("https://keys.test/{{t}}", "(?i)^(?P<t>red|blue)$", "").unwrap();
        assert_eq!(chosen(&whatever_case, json!({"iss": "red"})).as_deref(), Some("https://keys.test/red"));
        assert_eq!(chosen(&whatever_case, json!({"iss": "RED"})), None);
        let perhaps = template("https://keys.test/{{t}}", "^(?P<t>red|blue)?$", "").unwrap();
        assert_eq!(chosen(&perhaps, json!({"iss": ""})), None);
    }

    #[test]
    fn what_would_let_a_stranger_choose_who_verifies_it_is_refused() {
        let open = |list: &str| format!("^https://(?P<t>{list})\\.test$");
        for list in [
            ".*", "[a-z]+", "a|.*", "a.b", "a|", "", "a+", "a\\w", "a/b", "a|b(c|d)", "\\.\\.", "%2e",
            "a\\\\.b",
        ] {
            let refused = template("https://keys.test/{{t}}", &open(list), "").unwrap_err();
            assert_eq!(refused, TemplateError::Open("t".to_owned()), "{list}");
        }
        let many = (0..60).map(|number| format!("w{number}")).collect::<Vec<_>>().join("|");
        let table = [
            ("https://keys.test/{{t", "^(?P<t>a|b)$", "", TemplateError::Unclosed),
            ("https://keys.test/{{u}}", "^(?P<t>a|b)$", "", TemplateError::Unknown("u".to_owned())),
            ("https://keys.test/{{t}}", "", "", TemplateError::Unknown("t".to_owned())),
            ("https://keys.test/{{t}}", "^(?P<t>a)$", "^(?P<t>b)$", TemplateError::Twofold("t".to_owned())),
            ("ftp://keys.test/{{t}}", "^(?P<t>a)$", "", TemplateError::NoUrl),
            ("https://keys.test/{{t}}{{u}}", &format!("(?P<t>{many})"), "(?P<u>a|b)", TemplateError::TooMany),
        ];
        for (url, issuer, audience, expected) in table {
            assert_eq!(template(url, issuer, audience).unwrap_err(), expected, "{url}");
        }
    }
}

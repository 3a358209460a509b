//! Capabilities as tokens and the backend write them: `caps` of a connection, `allow` of a subscription.

use serde::{Deserialize, Deserializer, de};
use spanwire_hub::capabilities::{Capabilities, CapabilityError, Claim, MatchMode};
use spanwire_hub::{Right, Rights};

/// One element of the claim `caps`.
#[derive(Debug, Deserialize)]
pub(crate) struct CapabilityClaim {
    channels: Vec<String>,
    #[serde(default, rename = "match")]
    mode: Mode,
    #[serde(default)]
    allow: Allow,
}

/// How `channels` is read. A mode that is not known must not be taken for another one, so it makes the claim invalid.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    #[serde(alias = "")]
    Exact,
    Wildcard,
    Regex,
}

/// The claim `allow`: a list of words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allow(pub(crate) Rights);

impl<'de> Deserialize<'de> for Allow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = Option::<Vec<String>>::deserialize(from)?.unwrap_or_default();
        let right = |word: &String| {
            Right::of_word(word).ok_or_else(|| {
                let words = Right::ALL.map(Right::word).join(", ");
                de::Error::custom(format_args!("allow says {word:?}, and knows only {words}"))
            })
        };
        words.iter().map(right).collect::<Result<_, _>>().map(Self)
    }
}

/// What a list of them comes to.
///
/// # Errors
/// There is too much of something, or an expression is none.
pub(crate) fn capabilities(claims: Option<Vec<CapabilityClaim>>) -> Result<Capabilities, CapabilityError> {
    let read = |CapabilityClaim { channels, mode, allow }: CapabilityClaim| {
        let match_mode = match mode {
            Mode::Exact => MatchMode::Exact,
            Mode::Wildcard => MatchMode::Wildcard,
            Mode::Regex => MatchMode::Regex,
        };
        Claim { channels, match_mode, rights: allow.0 }
    };
    Capabilities::read(claims.into_iter().flatten().map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(claims: &str) -> Option<Capabilities> {
        let claims: Vec<CapabilityClaim> = serde_json::from_str(claims).ok()?;
        capabilities(Some(claims)).ok()
    }

    #[test]
    fn capabilities_are_read_as_they_are_written() {
        let table = [
            (r#"[{"channels":["a"],"allow":["pub"]}]"#, "a", true),
            (r#"[{"channels":["a*"],"allow":["pub"]}]"#, "ab", false),
            (r#"[{"channels":["a*"],"match":"wildcard","allow":["sub","pub"]}]"#, "ab", true),
            (r#"[{"channels":["a+"],"match":"regex","allow":["pub","hst"]}]"#, "aaa", true),
            (r#"[{"channels":["a"],"match":"exact","allow":["pub"]}]"#, "a", true),
            (r#"[{"channels":["a"],"match":"","allow":["pub"]}]"#, "a", true),
            (r#"[{"channels":["a"],"allow":["sub"]},{"channels":["a"],"allow":["pub"]}]"#, "a", true),
            (r#"[{"channels":["a"],"allow":[]}]"#, "a", false),
            (r#"[{"channels":["a"],"allow":null}]"#, "a", false),
            (r#"[{"channels":["a"]}]"#, "a", false),
            ("[]", "a", false),
        ];
        for (claims, channel, expected) in table {
            assert_eq!(read(claims).unwrap().give(Right::Publish, channel), expected, "{claims}");
        }
    }

    #[test]
    fn what_is_not_understood_is_never_taken_for_less() {
        let table = [
            r#"[{"channels":["a"],"match":"prefix","allow":["pub"]}]"#,
            r#"[{"channels":["a"],"allow":["publish"]}]"#,
            r#"[{"channels":["("],"match":"regex","allow":["pub"]}]"#,
            r#"[{"channels":"a","allow":["pub"]}]"#,
            r#"[{"allow":["pub"]}]"#,
            r#"{"channels":["a"]}"#,
        ];
        for claims in table {
            assert!(read(claims).is_none(), "{claims}");
        }
    }
}

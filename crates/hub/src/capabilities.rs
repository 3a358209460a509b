//! Capabilities: what a token, or the backend, lets one client do beyond what its namespaces let everybody do.

use std::sync::Arc;

use regex_lite::{Regex, RegexBuilder};

use crate::glob;
use crate::right::{Right, Rights};

/// Most capabilities of one client.
pub const CAPABILITIES_MAX: usize = 64;
/// Most channels and patterns in all capabilities of one client. Each command that the namespace does not allow is held
/// against all of them.
pub const PATTERNS_MAX: usize = 256;
/// Longest channel or pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 512;
/// Most regular expressions among them: each takes kilobytes, for as long as the client is connected.
pub const EXPRESSIONS_MAX: usize = 16;
/// What one regular expression may take once it is compiled, in bytes.
const EXPRESSION_BYTES_MAX: usize = 32 << 10;

/// All capabilities of one client. Cheap to clone; most clients have none.
#[derive(Clone, Debug, Default)]
pub struct Capabilities(Option<Arc<[Capability]>>);

/// Some channels, and what may be done in them.
#[derive(Debug)]
struct Capability {
    channels: Vec<Pattern>,
    rights: Rights,
}

/// One capability as it is written in a token (Centrifugo PRO's `caps`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Names of channels, or patterns.
    pub channels: Vec<String>,
    /// How these are read.
    pub match_mode: MatchMode,
    /// What may be done in the channels that fit.
    pub rights: Rights,
}

/// How a capability names its channels. However that is, the whole name must fit, with its namespace and its prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchMode {
    /// One by one.
    #[default]
    Exact,
    /// By patterns, in which `*` stands for any characters and `?` for one byte.
    Wildcard,
    /// By regular expressions.
    Regex,
}

#[derive(Debug)]
enum Pattern {
    Exact(Box<str>),
    Wildcard(Box<str>),
    Regex(Box<Regex>),
}

/// Why capabilities are not accepted: all of them, since half a permission is one that nobody meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapabilityError {
    /// More than [`CAPABILITIES_MAX`], [`PATTERNS_MAX`] or [`EXPRESSIONS_MAX`].
    TooMany,
    /// A channel or pattern is longer than [`PATTERN_BYTES_MAX`], or takes too much once it is compiled.
    TooLong,
    /// A regular expression is none.
    NotAnExpression,
}

impl std::fmt::Display for CapabilityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany => write!(
                f,
                "there are more than {CAPABILITIES_MAX} capabilities, {PATTERNS_MAX} channels or {EXPRESSIONS_MAX} \
                 regular expressions"
            ),
            Self::TooLong => {
                write!(f, "a channel or pattern of a capability is longer than {PATTERN_BYTES_MAX} bytes")
            }
            Self::NotAnExpression => {
                f.write_str("a regular expression of a capability cannot be read, or is too large")
            }
        }
    }
}

impl std::error::Error for CapabilityError {}

impl Capabilities {
    /// Reads what a token, or the backend, says.
    ///
    /// # Errors
    /// See [`CapabilityError`].
    pub fn read(claims: Vec<Claim>) -> Result<Self, CapabilityError> {
        let patterns = claims.iter().map(|claim| claim.channels.len()).sum::<usize>();
        let expressions = claims.iter().filter(|claim| claim.match_mode == MatchMode::Regex);
        let expressions = expressions.map(|claim| claim.channels.len()).sum::<usize>();
        if claims.len() > CAPABILITIES_MAX || patterns > PATTERNS_MAX || expressions > EXPRESSIONS_MAX {
            return Err(CapabilityError::TooMany);
        }
        if patterns == 0 {
            return Ok(Self::default());
        }
        let read = claims.into_iter().map(|Claim { channels, match_mode, rights }| {
            let channels = channels.into_iter().map(|text| Pattern::read(text, match_mode));
            Ok(Capability { channels: channels.collect::<Result<_, _>>()?, rights })
        });
        read.collect::<Result<Arc<[_]>, _>>().map(|read| Self(Some(read)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether one of them gives this right in this channel.
    pub fn give(&self, right: Right, channel: &str) -> bool {
        self.each().any(|capability| capability.rights.has(right) && capability.fits(channel))
    }

    /// All that they give in this channel.
    pub fn rights_in(&self, channel: &str) -> Rights {
        let fitting = self.each().filter(|capability| capability.fits(channel));
        fitting.fold(Rights::default(), |rights, capability| rights.and(capability.rights))
    }

    fn each(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter().flat_map(|all| all.iter())
    }
}

impl Capability {
    fn fits(&self, channel: &str) -> bool {
        self.channels.iter().any(|pattern| pattern.fits(channel))
    }
}

impl Pattern {
    fn read(text: String, mode: MatchMode) -> Result<Self, CapabilityError> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(CapabilityError::TooLong);
        }
        Ok(match mode {
            MatchMode::Exact => Self::Exact(text.into()),
            MatchMode::Wildcard => Self::Wildcard(text.into()),
            MatchMode::Regex => Self::Regex(Box::new(whole(&text)?)),
        })
    }

    fn fits(&self, channel: &str) -> bool {
        match self {
            Self::Exact(name) => **name == *channel,
            Self::Wildcard(pattern) => glob::fits(pattern, channel),
            Self::Regex(expression) => expression.is_match(channel),
        }
    }
}

/// The expression for whole names: an anchor that somebody forgot must not open half of all channels. It is read by
/// itself first, so that no parenthesis of its own closes ours.
fn whole(text: &str) -> Result<Regex, CapabilityError> {
    let read = |text: &str| RegexBuilder::new(text).size_limit(EXPRESSION_BYTES_MAX).build();
    read(text).and_then(|_| read(&format!("^(?:{text})$"))).map_err(|_| CapabilityError::NotAnExpression)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(match_mode: MatchMode, channel: &str, rights: &[Right]) -> Claim {
        Claim { channels: vec![channel.to_owned()], match_mode, rights: rights.iter().copied().collect() }
    }

    #[test]
    fn a_capability_fits_whole_names_by_its_mode() {
        use MatchMode::{Exact, Regex, Wildcard};
        let table = [
            (Exact, "chat:1", "chat:1", true),
            (Exact, "chat:*", "chat:1", false),
            (Exact, "chat:*", "chat:*", true),
            (Wildcard, "chat:*", "chat:1", true),
            (Wildcard, "chat:*", "chat:", true),
            (Wildcard, "chat:*", "chats:1", false),
            (Wildcard, "chat:*", "$chat:1", false),
            (Wildcard, "*", "$chat:1#7", true),
            (Regex, "chat:[0-9]+", "chat:12", true),
            (Regex, "chat:[0-9]+", "my-chat:12", false),
            (Regex, "chat:[0-9]+", "chat:12x", false),
            (Regex, "^chat:[0-9]+$", "chat:12", true),
            (Regex, "a|b", "ab", false),
            (Regex, "a|b", "b", true),
        ];
        for (mode, pattern, channel, expected) in table {
            let capabilities = Capabilities::read(vec![one(mode, pattern, &[Right::Publish])]).unwrap();
            assert_eq!(capabilities.give(Right::Publish, channel), expected, "{mode:?} {pattern} {channel}");
            assert!(!capabilities.give(Right::Subscribe, channel));
        }
    }

    #[test]
    fn what_several_capabilities_give_adds_up() {
        let capabilities = Capabilities::read(vec![
            one(MatchMode::Wildcard, "chat:*", &[Right::Subscribe]),
            one(MatchMode::Exact, "chat:1", &[Right::Publish, Right::History]),
        ]);
        let capabilities = capabilities.unwrap();
        let all: Rights = [Right::Subscribe, Right::Publish, Right::History].into_iter().collect();
        assert_eq!(capabilities.rights_in("chat:1"), all);
        assert_eq!(capabilities.rights_in("chat:2"), [Right::Subscribe].into_iter().collect());
        assert_eq!(capabilities.rights_in("game:2"), Rights::default());
        assert!(Capabilities::default().is_empty() && !capabilities.is_empty());
    }

    #[test]
    fn too_much_of_anything_is_refused_as_a_whole() {
        let many = |count: usize, mode| {
            let channels = (0..count).map(|number| format!("c{number}")).collect();
            vec![Claim { channels, match_mode: mode, ..Claim::default() }]
        };
        let long = one(MatchMode::Exact, &"x".repeat(PATTERN_BYTES_MAX + 1), &[]);
        let table = [
            (many(PATTERNS_MAX, MatchMode::Exact), None),
            (many(PATTERNS_MAX + 1, MatchMode::Exact), Some(CapabilityError::TooMany)),
            (many(EXPRESSIONS_MAX, MatchMode::Regex), None),
            (many(EXPRESSIONS_MAX + 1, MatchMode::Regex), Some(CapabilityError::TooMany)),
            (vec![Claim::default(); CAPABILITIES_MAX + 1], Some(CapabilityError::TooMany)),
            (vec![long], Some(CapabilityError::TooLong)),
            (vec![one(MatchMode::Regex, "(", &[])], Some(CapabilityError::NotAnExpression)),
            (vec![one(MatchMode::Regex, "a)|(?:b", &[])], Some(CapabilityError::NotAnExpression)),
            (
                vec![one(MatchMode::Regex, "((a{100}){100}){100}", &[])],
                Some(CapabilityError::NotAnExpression),
            ),
        ];
        for (claims, expected) in table {
            assert_eq!(Capabilities::read(claims).err(), expected);
        }
    }
}

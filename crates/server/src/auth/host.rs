//! Under which names this server may be addressed.

use std::fmt;

/// Which `Host` headers are answered.
///
/// A page of an attacker can point its own name at 127.0.0.1 (DNS rebinding); its requests then come from the same
/// origin as far as the browser can tell, and only the `Host` header shows where the page meant to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPolicy {
    /// Any name: for a server that is meant to be reached, where tokens and origins decide.
    Any,
    /// The loopback names only: for the dev profile, which lets anybody in.
    Loopback,
}

/// A request that was addressed to a name which is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRefusal;

impl HostPolicy {
    /// Whether a request with this `Host` header may go on.
    ///
    /// # Errors
    /// The refusal, to be answered with status 421 (RFC 9110, section 15.5.20).
    pub fn check(self, host: Option<&str>) -> Result<(), HostRefusal> {
        match self {
            Self::Any => Ok(()),
            Self::Loopback if host.is_some_and(is_loopback) => Ok(()),
            Self::Loopback => Err(HostRefusal),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| match host.split_at_checked(name.len()) {
        Some((start, rest)) => start.eq_ignore_ascii_case(name) && is_port_or_nothing(rest),
        None => false,
    })
}

fn is_port_or_nothing(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

impl fmt::Display for HostRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "The dev profile answers only to localhost, 127.0.0.1 and [::1], because it lets anybody in.\n\
             To be reached under another name, run: spanwire serve -c spanwire.toml",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dev_profile_answers_to_loopback_names_only() {
        let table = [
            (Some("localhost"), true),
            (Some("LocalHost:8000"), true),
            (Some("127.0.0.1:8000"), true),
            (Some("[::1]"), true),
            (Some("[::1]:8000"), true),
            (Some("localhost.evil.example"), false),
            (Some("localhost:"), false),
            (Some("localhost:80a"), false),
            (Some("127.0.0.1.nip.io:8000"), false),
            (Some("127.0.0.11"), false),
            (Some("evil.example"), false),
            (Some("\u{e9}localhost"), false),
            (Some(""), false),
            (None, false),
        ];
        for (host, expected) in table {
            assert_eq!(HostPolicy::Loopback.check(host).is_ok(), expected, "{host:?}");
            assert!(HostPolicy::Any.check(host).is_ok());
        }
    }
}

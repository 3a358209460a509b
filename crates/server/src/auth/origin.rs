//! Which web pages may open a WebSocket here.
//!
//! Browsers let any page connect to any server and say in `Origin` which page it is; so it is for the server to
//! refuse (RFC 6455, section 10.2). Programs that are not browsers send no `Origin` and are let through: they could
//! write whatever they like into it.

use std::fmt;

use spanwire_hub::glob;

/// Longest origin that is looked at, in bytes; longer ones are refused.
const ORIGIN_BYTES_MAX: usize = 512;

/// Which origins may connect, besides the page's own host.
#[derive(Clone, Debug, Default)]
pub struct OriginPolicy {
    allowed: Vec<String>,
}

/// A page that may not connect, and what would let it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRefusal {
    /// The origin, if it is fit to be shown; else empty.
    pub origin: String,
}

impl OriginPolicy {
    /// Lets in the page's own host and origins that fit one of these patterns (`client.allowed_origins`), such as
    /// `https://*.example.org`; `*` lets in all.
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        Self { allowed: allowed.into_iter().map(|pattern| pattern.to_ascii_lowercase()).collect() }
    }

    /// Whether a request with these `Origin` and `Host` headers may go on.
    ///
    /// # Errors
    /// The refusal, whose text says how to let this page in.
    pub fn check(&self, origin: Option<&str>, host: Option<&str>) -> Result<(), OriginRefusal> {
        let Some(origin) = origin else { return Ok(()) };
        if origin.len() > ORIGIN_BYTES_MAX {
            return Err(OriginRefusal { origin: String::new() });
        }
        let origin = origin.to_ascii_lowercase();
        let listed = is_origin(&origin) && self.allowed.iter().any(|pattern| glob::fits(pattern, &origin));
        if listed || host.is_some_and(|host| is_same_host(&origin, &host.to_ascii_lowercase())) {
            Ok(())
        } else {
            Err(OriginRefusal { origin: if is_plain(&origin) { origin } else { String::new() } })
        }
    }
}

/// Whether this may be an origin (RFC 6454, section 7): `null`, or a scheme and an authority. A star in a pattern stands
/// for anything, so that what is no part of a host must not be there.
fn is_origin(origin: &str) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let is_of_no_host = |byte: u8| !byte.is_ascii_graphic() || b"/?#@\\".contains(&byte);
    authority.map_or(origin == "null", |authority| !authority.bytes().any(is_of_no_host))
}

/// Whether an origin can be repeated in a page, in a configuration and in a log without meaning anything there.
fn is_plain(origin: &str) -> bool {
    origin.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>'))
}

/// Whether the page came from the host that the request went to. The scheme does not matter: behind a reverse proxy
/// that ends TLS we do not know ours.
fn is_same_host(origin: &str, host: &str) -> bool {
    let (authority, port) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(authority), _) => (authority, ":443"),
        (None, Some(authority)) => (authority, ":80"),
        (None, None) => return false,
    };
    // A port that goes without saying is left out of an origin, and by some proxies not out of a Host.
    !authority.is_empty() && (authority == host || host.strip_suffix(port) == Some(authority))
}

impl fmt::Display for OriginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin.is_empty() {
            return f.write_str("Pages of this origin may not connect here.");
        }
        writeln!(f, "Pages from {} may not connect here.", self.origin)?;
        writeln!(f, "To let them, add this to the server's configuration:\n")?;
        write!(f, "[client]\nallowed_origins = [\"{}\"]", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_connects_to_its_own_host_and_programs_connect_to_any() {
        let policy = OriginPolicy::default();
        let table = [
            (None, Some("example.org"), true),
            (None, None, true),
            (Some("https://example.org"), Some("example.org"), true),
            (Some("http://example.org:8000"), Some("example.org:8000"), true),
            (Some("HTTPS://Example.org"), Some("eXample.org"), true),
            (Some("https://example.org"), Some("example.org:443"), true),
            (Some("http://[::1]:8000"), Some("[::1]:8000"), true),
            (Some("https://example.org"), Some("example.org:80"), false),
            (Some("http://example.org"), Some("example.org:8000"), false),
            (Some("http://[::1]:8000"), Some("[::1]:8001"), false),
            (Some("http://[::1]:8000"), Some("[0:0:0:0:0:0:0:1]:8000"), false),
            (Some("https://xn--bcher-kva.example"), Some("XN--bcher-kva.example"), true),
            (Some("https://b\u{fc}cher.example"), Some("xn--bcher-kva.example"), false),
            (Some("https://example.org:443"), Some("example.org"), false),
            (Some("https://example.org."), Some("example.org"), false),
            (Some("https://user@example.org"), Some("example.org"), false),
            (Some("https://example.org/"), Some("example.org"), false),
            (Some("https://example.org https://evil.example"), Some("example.org"), false),
            (Some("wss://example.org"), Some("example.org"), false),
            (Some("https://evil.example"), Some("example.org"), false),
            (Some("https://example.org.evil.example"), Some("example.org"), false),
            (Some("https://"), Some(""), false),
            (Some("null"), Some("null"), false),
            (Some(""), Some("example.org"), false),
            (Some("https://example.org"), None, false),
            (Some("file://example.org"), Some("example.org"), false),
        ];
        for (origin, host, expected) in table {
            assert_eq!(policy.check(origin, host).is_ok(), expected, "{origin:?} at {host:?}");
        }
    }

    #[test]
    fn listed_patterns_let_other_pages_in() {
        let policy = OriginPolicy::new(["https://*.Example.org".to_owned(), "null".to_owned()]);
        let table = [
            ("https://app.example.org", true),
            ("https://example.org", false),
            ("http://app.example.org", false),
            ("null", true),
            ("https://app.example.org:8443", false),
            ("https://example.org.evil.example", false),
            ("https://evil.example/.example.org", false),
            ("https://evil.example?.example.org", false),
            ("https://evil.example@app.example.org", false),
            ("https://evil.example .example.org", false),
        ];
        for (origin, expected) in table {
            assert_eq!(policy.check(Some(origin), Some("api.test")).is_ok(), expected, "{origin}");
        }
        assert!(OriginPolicy::new(["*".to_owned()]).check(Some("https://any.test"), None).is_ok());
    }

    #[test]
    fn a_refusal_names_the_line_that_would_let_the_page_in_and_repeats_nothing_odd() {
        let refusal =
            OriginPolicy::default().check(Some("https://App.test"), Some("example.org")).unwrap_err();
        assert!(refusal.to_string().contains(r#"allowed_origins = ["https://app.test"]"#));
        for odd in ["https://a\"]\nb", "<script>", &"x".repeat(ORIGIN_BYTES_MAX + 1)] {
            let refusal = OriginPolicy::default().check(Some(odd), Some("example.org")).unwrap_err();
            assert_eq!(refusal.to_string(), "Pages of this origin may not connect here.");
        }
    }
}

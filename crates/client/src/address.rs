//! Where a server is.

use http::Uri;

use crate::error::ConfigError;

/// Where a WebSocket endpoint is served unless something else is said.
const PATH: &str = "/connection/websocket";

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether TLS is spoken.
    pub(crate) secure: bool,
    /// What stands in a `Host` header.
    pub(crate) authority: String,
    /// The path of the WebSocket endpoint.
    path: String,
    /// With its question mark; empty if there is none.
    query: String,
}

impl Address {
    /// Reads an address as people write it: `wss://example.org/connection/websocket`, or the same with `ws`, `https` or
    /// `http`; without a path it is the usual one.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        let wrong = |why: &str| ConfigError::Url(format!("{url}: {why}"));
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(_) => return Err(wrong("the scheme is none of ws, wss, http and https")),
            None => return Err(wrong("the scheme is missing")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a user name has no meaning here; credentials are tokens"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let usual = if secure { 443 } else { 80 };
        let port = match uri.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() == authority.host() => usual,
            None => return Err(wrong("the port is no number up to 65535")),
        };
        if host.is_empty() || port == 0 {
            return Err(wrong("the host or the port is missing"));
        }
        let in_header =
            if port == usual { authority.host().to_owned() } else { authority.as_str().to_owned() };
        let path = match uri.path() {
            "" | "/" => PATH,
            path => path,
        };
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self { host: host.to_owned(), port, secure, authority: in_header, path: path.to_owned(), query })
    }

    /// What stands in the request line of a WebSocket handshake.
    pub(crate) fn websocket(&self) -> String {
        format!("{}{}", self.path, self.query)
    }

    /// The same for another endpoint beside it.
    #[cfg(feature = "fallback")]
    pub(crate) fn beside(&self, name: &str) -> String {
        format!("{}/{name}{}", self.folder(), self.query)
    }

    /// The same for what is posted to a session: `../emulation`, as seen from the others.
    #[cfg(feature = "fallback")]
    pub(crate) fn emulation(&self) -> String {
        let above = self.folder().rsplit_once('/').map_or("", |(above, _)| above);
        format!("{above}/emulation{}", self.query)
    }

    #[cfg(feature = "fallback")]
    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for (url, host, port, secure, authority, target) in [
            ("ws://localhost:8000", "localhost", 8000, false, "localhost:8000", PATH),
            ("ws://localhost:8000/", "localhost", 8000, false, "localhost:8000", PATH),
            ("wss://example.org/rt?a=b", "example.org", 443, true, "example.org", "/rt?a=b"),
            ("https://example.org:443", "example.org", 443, true, "example.org", PATH),
            ("http://[::1]:9/a", "::1", 9, false, "[::1]:9", "/a"),
            ("ws://[::1]", "::1", 80, false, "[::1]", PATH),
        ] {
            let found = Address::parse(url).unwrap();
            assert_eq!((found.host.as_str(), found.port, found.secure), (host, port, secure), "{url}");
            assert_eq!((found.authority.as_str(), found.websocket().as_str()), (authority, target), "{url}");
        }
    }

    #[cfg(feature = "fallback")]
    #[test]
    fn the_other_endpoints_are_beside_the_websocket() {
        for (url, beside, emulation) in [
            ("ws://a", "/connection/sse", "/emulation"),
            ("ws://a/rt/connection/websocket?a=b", "/rt/connection/sse?a=b", "/rt/emulation?a=b"),
            ("ws://a/socket", "/sse", "/emulation"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(
                (address.beside("sse"), address.emulation()),
                (beside.to_owned(), emulation.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_way_to_write_one() {
        for url in [
            "",
            "localhost",
            "/connection",
            "ftp://a",
            "ws://",
            "ws://:80",
            "ws://a:b",
            "ws://a:70000",
            "ws://a:0",
            "ws://user@a",
            "ws://a b",
            "ws://a\r\nX: y",
        ] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(error.ends_with("wss://example.org/connection/websocket"), "{error}");
        }
    }
}
